/** Runs Buf in this folder, with the tools of the checkout and the validator's rules at hand. */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { validateProto } from "./validate-proto.ts";

/** The folder of the protos. */
export const protoDir: string = import.meta.dirname;

const binDir = join(protoDir, "..", "node_modules", ".bin");
/** Where buf.yaml looks for the rules, from the folder of the protos. */
const rulesPath = join(".ignite", "protovalidate", "buf", "validate", "validate.proto");
const outputBytesMax = 16 * 1024 * 1024; // A diff of everything that is generated

/** How a run of Buf ended; `output` is what it printed on both streams. */
export interface BufResult {
  ok: boolean;
  output: string;
}

/** Runs `buf` with `args` in the folder of the protos. Rejects only when it cannot be started. */
export async function runBuf(args: readonly string[]): Promise<BufResult> {
  await writeRules(protoDir);
  const env = { ...process.env, PATH: [binDir, process.env.PATH].join(delimiter) };
  const options = { cwd: protoDir, env, maxBuffer: outputBytesMax };
  try {
    const { stdout, stderr } = await promisify(execFile)(join(binDir, "buf"), args, options);
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { ok: false, output: stdout + stderr };
  }
}

/** Puts `validate.proto` where `folder/buf.yaml` looks for it; leaves an equal file alone. */
export async function writeRules(folder: string): Promise<void> {
  const path = join(folder, rulesPath);
  const text = validateProto();
  const present = await readFile(path, "utf8").catch(() => "");
  if (present === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
