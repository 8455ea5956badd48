import { expect, test } from "vitest";
import { errorOfResponse } from "./errors.ts";

test("errorOfResponse() tells what happened and what to do next apart", async () => {
  const problem = { reason: "PERMISSION_DENIED", detail: "You may not. Ask somebody." };
  const answer = (headers: Record<string, string>) =>
    errorOfResponse(new Response(JSON.stringify(problem), { status: 403, headers }));
  expect(await answer({ "ignite-hint": "Ask somebody." })).toMatchObject({
    code: "permission_denied",
    reason: "PERMISSION_DENIED",
    message: "You may not.",
    hint: "Ask somebody.",
  });
  expect(await answer({})).toMatchObject({
    message: "You may not. Ask somebody.",
    hint: undefined,
  });
});
