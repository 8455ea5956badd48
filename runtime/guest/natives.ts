/**
 * The natives that our guest code relies on, taken before the app's own code runs. An app may
 * replace what it finds in its globals afterwards; that changes what it sees, not what we do.
 */

/** A method as a function of its object, which stays what it is whatever becomes of `call`. */
const uncurried = Function.prototype.bind.bind(Function.prototype.call) as <
  Of,
  Parameters extends unknown[],
  Result,
>(
  method: (this: Of, ...parameters: Parameters) => Result,
) => (of: Of, ...parameters: Parameters) => Result;

/** Writes one line to the cell's stdout, at once. */
export const writeLine: (line: string) => void = console.log.bind(console);
export const nowMs: () => number = Date.now.bind(Date);
export const toJson: (value: unknown) => string = JSON.stringify.bind(JSON);
export const sliceText = uncurried(String.prototype.slice);
export const headerOf = uncurried(Headers.prototype.get);
const requestHeaders = Object.getOwnPropertyDescriptor(Request.prototype, "headers")?.get;
/** The headers of a request. */
export const headersOf: (request: Request) => Headers = uncurried(
  requestHeaders as (this: Request) => Headers,
);
/** `Response.json`. */
export const jsonResponse: (value: unknown) => Response = Response.json.bind(Response);
/** What every answer must be an instance of. */
export const NativeResponse: typeof Response = Response;
