import { type Resolve, systemResolve } from "../../runtime/host/egress/resolver.ts";

/**
 * Names as a browser on this machine reads them: those below `localhost` are this machine
 * (RFC 6761), which the system's resolver often does not know. So an app can call those of a
 * platform that runs beside it.
 */
export function devResolve(system: Resolve = systemResolve()): Resolve {
  return async (hostname) => {
    if (!/\.localhost\.?$/.test(hostname)) return system(hostname);
    return [{ address: "127.0.0.1", family: 4 }];
  };
}
