/**
 * `Deno.upgradeWebSocket`. workerd lets a socket be used only in the context of the request that
 * brought it, Deno from anywhere: so `send` and `close` put what they have in a queue, and a pump
 * that runs in the socket's own context empties it. Resolving a promise wakes the pump at once,
 * whichever request does it.
 */

/** What an app may ask for. */
interface UpgradeOptions {
  protocol?: string;
  idleTimeout?: number;
}

type Outgoing = { data: string | ArrayBuffer } | { code: number | undefined; reason: string };

/** Accepts the upgrade. Fails with TypeError when the request does not ask for one. */
export function upgradeWebSocket(
  request: Request,
  { protocol = "" }: UpgradeOptions = {},
): { socket: GuestSocket; response: Response } {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new TypeError("Invalid Header: 'upgrade' header must contain 'websocket'");
  }
  const pair = new WebSocketPair();
  const headers = new Headers();
  if (protocol !== "") headers.set("sec-websocket-protocol", protocol);
  const socket = new GuestSocket(pair[1], request.url, protocol);
  return { socket, response: new Response(null, { status: 101, headers, webSocket: pair[0] }) };
}

/**
 * A WebSocket whose methods work in any request's context. workerd's EventTarget itself calls the
 * `on…` properties.
 */
export class GuestSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly protocol: string;
  readonly extensions = "";
  binaryType: "blob" | "arraybuffer" = "blob";
  readyState = GuestSocket.CONNECTING as number;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly #native: WebSocket;
  readonly #queue: Outgoing[] = [];
  #wake: () => void = () => {};
  #bufferedBytes = 0;

  /** Call in the context of the request that brought the socket. */
  constructor(native: WebSocket, url: string, protocol: string) {
    super();
    this.#native = native;
    this.url = url.replace(/^http/, "ws");
    this.protocol = protocol;
    native.binaryType = "arraybuffer";
    native.accept();
    native.addEventListener("message", ({ data }) => this.#receive(data));
    native.addEventListener("close", ({ code, reason, wasClean }) => {
      this.#closed(new CloseEvent("close", { code, reason, wasClean }));
    });
    native.addEventListener("error", ({ message }) =>
      this.dispatchEvent(new ErrorEvent("error", { message })),
    );
    setTimeout(() => this.#open(), 0);
    void this.#pump();
  }

  get bufferedAmount(): number {
    return this.#bufferedBytes;
  }

  /** Sends when the socket's own context runs next. */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    if (this.readyState === GuestSocket.CONNECTING) {
      throw new DOMException("readyState not OPEN", "InvalidStateError");
    }
    if (this.readyState !== GuestSocket.OPEN) return;
    if (data instanceof Blob) {
      void data.arrayBuffer().then((bytes) => this.send(bytes));
      return;
    }
    this.#put({ data: ArrayBuffer.isView(data) ? bytesOf(data) : data });
  }

  /** Closes after everything that was sent before. */
  close(code?: number, reason = ""): void {
    if (this.readyState >= GuestSocket.CLOSING) return;
    this.readyState = GuestSocket.CLOSING;
    this.#put({ code, reason });
  }

  #open(): void {
    if (this.readyState !== GuestSocket.CONNECTING) return;
    this.readyState = GuestSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  #receive(data: unknown): void {
    this.#open();
    const wanted =
      data instanceof ArrayBuffer && this.binaryType === "blob" ? new Blob([data]) : data;
    this.dispatchEvent(new MessageEvent("message", { data: wanted }));
  }

  #closed(event: CloseEvent): void {
    if (this.readyState === GuestSocket.CLOSED) return;
    this.readyState = GuestSocket.CLOSED;
    this.#wake();
    try {
      this.#native.close(event.code, event.reason);
    } catch {
      // The other side closed without a code that may be answered; nothing is left to close
    }
    this.dispatchEvent(event);
  }

  #put(outgoing: Outgoing): void {
    this.#queue.push(outgoing);
    this.#bufferedBytes += sizeOf(outgoing);
    this.#wake();
  }

  async #pump(): Promise<void> {
    while (this.readyState !== GuestSocket.CLOSED) {
      for (const outgoing of this.#queue.splice(0)) {
        this.#bufferedBytes -= sizeOf(outgoing);
        this.#write(outgoing);
      }
      if (this.readyState === GuestSocket.CLOSED) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#queue.length > 0) resolve();
      });
    }
  }

  #write(outgoing: Outgoing): void {
    try {
      if ("data" in outgoing) this.#native.send(outgoing.data);
      else this.#native.close(outgoing.code ?? 1000, outgoing.reason);
    } catch (error) {
      this.dispatchEvent(new ErrorEvent("error", { message: String(error), error }));
      this.#closed(new CloseEvent("close", { code: 1006, reason: "", wasClean: false }));
    }
  }
}

function sizeOf(outgoing: Outgoing): number {
  if (!("data" in outgoing)) return 0;
  return typeof outgoing.data === "string" ? outgoing.data.length : outgoing.data.byteLength;
}

function bytesOf(view: ArrayBufferView): ArrayBuffer {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
}
