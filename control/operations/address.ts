/** Where a call came from, as the front says. */

const GROUPS = 8;
const NETWORK_GROUPS = 4; // A /64 is one household or one server

/**
 * The address of the caller; of IPv6 its network, since whoever has one address there has them all.
 * Every listener replaces `x-forwarded-for`, so it is never the caller's own word. Empty when the
 * front does not know.
 */
export function addressOf(headers: Headers): string {
  const given = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  const address = given.replace(/^::ffff:(?=\d+\.)/i, "");
  return address.includes(":") ? networkOf(address) : address;
}

function networkOf(address: string): string {
  const [left = [], right = []] = address
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, GROUPS - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, NETWORK_GROUPS).join(":");
}
