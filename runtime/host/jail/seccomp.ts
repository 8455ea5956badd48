/**
 * Makes the filter that the kernel runs before each system call of a cell: an allow-list, as
 * classic BPF. `socket()` may only make unix sockets; `clone3` says that it does not exist, since
 * its flags lie where a filter cannot look, and libc then uses `clone`, whose flags are checked.
 */
import { allowedCalls } from "./system-calls.ts";

/** The architectures that have numbers in system-calls.ts. */
export type Architecture = "x64" | "arm64";

const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  x64: 0xc000003e,
  arm64: 0xc00000b7,
};
// Offsets in struct seccomp_data
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;
// Instructions
const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K
// Answers
const ALLOW = 0x7fff0000;
const KILL = 0x80000000; // The whole process
const refuseWith = (errno: number) => 0x00050000 | errno;
const EPERM = 1;
const ENOSYS = 38;
const AF_UNIX = 1;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const CLONE_NEW_ANY = 0x7e020000;
const INSTRUCTION_BYTES = 8;

interface Instruction {
  code: number;
  ifTrue: number;
  ifFalse: number;
  value: number;
}

const load = (offset: number) => ({ code: LOAD, ifTrue: 0, ifFalse: 0, value: offset });
const answer = (value: number) => ({ code: RETURN, ifTrue: 0, ifFalse: 0, value });
const jump = (code: number, value: number, ifTrue: number, ifFalse: number): Instruction => ({
  code,
  ifTrue,
  ifFalse,
  value,
});

/** The filter as bytes for `bwrap --seccomp`. */
export function seccompProgram(architecture: Architecture): Uint8Array {
  const numberOf = (name: string) =>
    allowedCalls.find((call) => call.name === name)?.[architecture];
  const instructions: Instruction[] = [
    load(ARCHITECTURE_AT),
    jump(IF_EQUAL, AUDIT_ARCH[architecture], 1, 0),
    answer(KILL),
    load(NUMBER_AT),
    ...ifCall(numberOf("clone3"), [answer(refuseWith(ENOSYS))]),
    ...ifCall(numberOf("socket"), [
      load(FIRST_ARGUMENT_AT),
      jump(IF_EQUAL, AF_UNIX, 1, 0),
      answer(refuseWith(EPERM)),
      answer(ALLOW),
    ]),
    ...ifCall(numberOf("clone"), [
      load(FIRST_ARGUMENT_AT),
      jump(IF_ANY_BIT, CLONE_NEW_ANY, 0, 1),
      answer(refuseWith(EPERM)),
      answer(ALLOW),
    ]),
    ...allowedCalls.flatMap((call) => ifCall(call[architecture], [answer(ALLOW)])),
    answer(refuseWith(EPERM)),
  ];
  return encode(instructions);
}

/** Runs `then`, which ends with an answer, when the call has this number. */
function ifCall(number: number | undefined, then: readonly Instruction[]): Instruction[] {
  return number === undefined ? [] : [jump(IF_EQUAL, number, 0, then.length), ...then];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * INSTRUCTION_BYTES));
  for (const [at, { code, ifTrue, ifFalse, value }] of instructions.entries()) {
    const offset = at * INSTRUCTION_BYTES;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, ifTrue);
    view.setUint8(offset + 3, ifFalse);
    view.setUint32(offset + 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
