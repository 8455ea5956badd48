import { expect, test } from "vitest";
import { Role } from "../../../proto/gen/ignite/v1/key_pb.ts";
import { KeyService } from "../../../proto/gen/ignite/v1/key_service_pb.ts";
import { testControl } from "../../testing/control.ts";

test("/metrics shows the edge's counters after control's, and control's alone without it", async () => {
  const control = await testControl();
  await control.fetch("/healthz");
  const text = await (await control.fetch("/metrics")).text();
  expect(text).toContain('ignite_control_requests_total{kind="http",status="200"} 1\n');
  expect(text).toContain("ignite_edge_cells 1\n");
  control.ports.edge.metrics = () => Promise.reject(new Error("gone"));
  const alone = await (await control.fetch("/metrics")).text();
  expect(alone).toContain("ignite_control_requests_total");
  expect(alone).not.toContain("ignite_edge_cells");
});

test("/metrics is for operators, not for whoever asks, nor for owners of organizations", async () => {
  const control = await testControl();
  const owner = { name: "owner", role: Role.OWNER };
  const { secret } = await control.client(KeyService).createKey(owner);
  const answers = await Promise.all(
    [control.key, "", "igk_wrong", secret].map((key) => control.fetch("/metrics", { key })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 403]);
  const refused = await Promise.all(answers.slice(1).map((answer) => answer.text()));
  expect(refused.join()).not.toContain("ignite_control");
});

test("/metrics is for anyone where the installation says so", async () => {
  const control = await testControl({ openMetrics: true });
  const answer = await control.fetch("/metrics", { key: "" });
  expect([answer.status, await answer.text()]).toEqual([
    200,
    expect.stringContaining("ignite_control_requests_total"),
  ]);
});
