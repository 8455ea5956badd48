/** How the parts that control leans on are. */
import { IgniteError } from "../../core/errors.ts";
import type { CompilerStatus, Ports, SandboxStatus } from "../ports.ts";

/** One part; `message` says why it is not healthy, or in what it is weak. */
export interface PartHealth {
  name: "store" | "edge" | "region" | "compiler";
  isHealthy: boolean;
  message: string;
}

type Condition = Omit<PartHealth, "name">;

const SOUND: Condition = { isHealthy: true, message: "" };
const ANSWER_TIMEOUT_MS = 2_000; // Whoever asks wants to know now

/** Asks each part, all at once. Never fails, and is never long. */
export async function checkHealth(ports: Ports): Promise<PartHealth[]> {
  const ask = async <Answer>(
    question: () => Promise<Answer>,
    read: (answer: Answer) => Condition,
  ) => inTime(ports, question).then(read).catch(conditionOfFailure);
  const region = inTime(ports, () => ports.examineRegion());
  const [store, edge, regional, compiler] = await Promise.all([
    ask(
      () => ports.stores.ping(),
      () => SOUND,
    ),
    ask(() => ports.edge.sandbox(), conditionOfEdge),
    ask(
      () => region,
      () => SOUND,
    ),
    ask(() => region, conditionOfCompiler),
  ]);
  return [
    { name: "store", ...store },
    { name: "edge", ...edge },
    { name: "region", ...regional },
    { name: "compiler", ...compiler },
  ];
}

function conditionOfEdge({ sandboxed, missing }: SandboxStatus): Condition {
  if (sandboxed) return SOUND;
  return { isHealthy: true, message: `unsandboxed; missing: ${missing.join(", ")}` };
}

function conditionOfCompiler({ state, sandboxed, why }: CompilerStatus): Condition {
  if (state === "failed") return { isHealthy: false, message: why };
  if (state === "preparing") return { isHealthy: true, message: "it gets ready" };
  return sandboxed ? SOUND : { isHealthy: true, message: `unsandboxed; ${why}` };
}

function conditionOfFailure(caught: unknown): Condition {
  return { isHealthy: false, message: IgniteError.from(caught).message };
}

async function inTime<Answer>(ports: Ports, question: () => Promise<Answer>): Promise<Answer> {
  const answered = new AbortController();
  const late = ports.sleep(ANSWER_TIMEOUT_MS, answered.signal).then(() => {
    throw new IgniteError({
      code: "resource_exhausted",
      reason: "OVERLOADED",
      message: "It does not answer in time.",
    });
  });
  try {
    return await Promise.race([question(), late]);
  } finally {
    answered.abort();
  }
}
