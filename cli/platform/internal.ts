/** The control plane's internal listener, for whoever has the master key of its data folder. */
import { Client } from "undici";
import { IgniteError, type Reason } from "../../core/errors.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../../core/plane-token.ts";

/** Where it listens, and what opens it. */
export interface InternalAddress {
  socketPath: string;
  masterKey: Buffer;
}

/** Posts to it and answers the body. Fails with its reason, or CONTROL_UNAVAILABLE. */
export async function postInternal<Answer>(
  { socketPath, masterKey }: InternalAddress,
  path: string,
  body: object,
): Promise<Answer> {
  const key = await channelKey(new Uint8Array(masterKey), "control");
  const token = await signPlaneToken(key, { aud: "control", method: "POST", path }, Date.now());
  const client = new Client("http://control", { socketPath });
  try {
    const headers = { [planeTokenHeader]: token, "content-type": "application/json" };
    const answer = await client
      .request({ path, method: "POST", headers, body: JSON.stringify(body) })
      .catch((cause: unknown) => {
        throw unavailable("The control plane does not answer.", cause);
      });
    const found = (await answer.body.json()) as Answer & { detail?: string; reason?: Reason };
    if (answer.statusCode === 200) return found;
    const { detail = `It answered ${answer.statusCode}.`, reason } = found;
    if (reason === undefined || answer.statusCode >= 500) throw unavailable(detail);
    throw new IgniteError({ code: "failed_precondition", reason, message: detail });
  } finally {
    await client.close();
  }
}

function unavailable(message: string, cause?: unknown): IgniteError {
  return new IgniteError({ code: "unavailable", reason: "CONTROL_UNAVAILABLE", message, cause });
}
