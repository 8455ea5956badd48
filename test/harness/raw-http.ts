/** HTTP as bytes on a socket, for what no client library would send. */
import { connect } from "node:net";

/** What came back until the other side closed or fell silent after a whole answer. */
export interface RawAnswer {
  /** 0 when nothing came. */
  status: number;
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** Sends `text` as it is, ends our side when `end` is set, and reads until the connection ends. */
export async function sendRaw(
  url: string,
  text: string,
  options: { end?: boolean } = {},
): Promise<RawAnswer> {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.setEncoding("utf8");
  socket.write(text);
  if (options.end === true) socket.end();
  let received = "";
  await new Promise<void>((done) => {
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (isWhole(received)) socket.destroy();
    });
    socket.on("error", () => socket.destroy()); // A reset is an answer too
    socket.on("close", () => done());
  });
  return parse(received);
}

function isWhole(text: string): boolean {
  const { headers, body, status } = parse(text);
  const length = headers.get("content-length");
  return status >= 200 && length !== undefined && Buffer.byteLength(body) >= Number(length);
}

function parse(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0);
  return { status, headers: new Map(headers), body: rest.join("\r\n\r\n") };
}
