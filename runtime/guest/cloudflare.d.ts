/** What workerd has and its published types do not name yet. */
declare namespace CloudflareWorkersModule {
  /** Ends the isolate that calls it; the loader starts a fresh one for the next request. */
  export function abortIsolate(reason?: string): never;
}

declare module "node:async_hooks" {
  /** A value that follows the asynchronous continuations of a call. */
  export class AsyncLocalStorage<Value> {
    run<Given extends unknown[], Result>(
      store: Value,
      callback: (...given: Given) => Result,
      ...given: Given
    ): Result;
    getStore(): Value | undefined;
  }
}
