/** How the parts that control leans on are. */
import { IgniteError } from "../../core/errors.ts";
import type { Ports, SandboxStatus } from "../ports.ts";

/** One part; `message` says why it is not healthy, or in what it is weak. */
export interface PartHealth {
  name: string;
  isHealthy: boolean;
  message: string;
}

/** Asks each part. Never fails. */
export function checkHealth(ports: Ports): Promise<PartHealth[]> {
  const parts: [string, () => Promise<string>][] = [
    ["store", () => ports.stores.ping().then(sound)],
    ["edge", async () => weaknessOf(await ports.edge.sandbox())],
    ["region", () => ports.pingRegion().then(sound)],
  ];
  return Promise.all(parts.map(([name, ping]) => check(name, ping)));
}

function sound(): string {
  return "";
}

function weaknessOf({ sandboxed, missing }: SandboxStatus): string {
  return sandboxed ? "" : `unsandboxed; missing: ${missing.join(", ")}`;
}

async function check(name: string, ask: () => Promise<string>): Promise<PartHealth> {
  try {
    return { name, isHealthy: true, message: await ask() };
  } catch (caught) {
    return { name, isHealthy: false, message: IgniteError.from(caught).message };
  }
}
