/**
 * Which addresses guests may reach. The rule is what is allowed, not what is denied: public unicast
 * of IPv4, and 2000::/3 of IPv6, less the ranges below, less this machine's own addresses. The
 * operator may open single private endpoints.
 */
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { IgniteError } from "../../../core/errors.ts";

/** Decides about one address and port. */
export interface AddressPolicy {
  /** Why the address may not be reached; undefined when it may. */
  refusal(address: string, port: number): string | undefined;
}

/** What an address policy is made from. */
export interface AddressPolicyOptions {
  /** Endpoints open to guests though private: `10.0.0.5:8080`, `10.1.0.0/16:443`, `[fd00::1]:*`. */
  allow?: readonly string[] | undefined;
  /** Ports no guest may reach. */
  portsDenied?: readonly number[] | undefined;
  /** This machine's addresses; read from its interfaces when absent. */
  ownAddresses?: (() => readonly string[]) | undefined;
}

type Address = ReturnType<typeof ipaddr.parse>;
type Range = ReturnType<typeof ipaddr.parseCIDR>;

const PORTS_DENIED = [25]; // Mail from a guest would put the host on block lists
const OWN_ADDRESSES_TTL_MS = 10_000; // Interfaces change seldom
/** Ranges that look like public unicast to some tables, and are not. */
const DENIED = [
  "0.0.0.0/8", // This network
  "100.64.0.0/10", // Carrier-grade NAT, and a metadata service
  "168.63.129.16/32", // A cloud's host agent, at a public address
  "192.0.0.0/24", // Protocol assignments, and a metadata service
  "192.0.2.0/24", // Documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // Automatic multicast tunnelling
  "192.88.99.0/24", // 6to4 relays
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // Benchmarks
  "198.51.100.0/24", // Documentation
  "203.0.113.0/24", // Documentation
  "224.0.0.0/3", // Multicast, reserved, broadcast
  "::/96", // Old IPv4-compatible form
  "::ffff:0:0/96", // IPv4 in IPv6: guests name IPv4 as such
  "64:ff9b::/96", // NAT64: leads to any IPv4 address
  "64:ff9b:1::/48", // NAT64 of a site
  "100::/64", // Discard
  "2001::/23", // Teredo and other protocol assignments
  "2001:db8::/32", // Documentation
  "2002::/16", // 6to4: leads to any IPv4 address
  "3fff::/20", // Documentation
  "5f00::/16", // Segment routing
  "fec0::/10", // Old site-local form
].map((cidr) => ipaddr.parseCIDR(cidr));
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/** Makes the policy. Fails with INVALID_ARGUMENT when an entry of `allow` cannot be read. */
export function addressPolicy(options: AddressPolicyOptions = {}): AddressPolicy {
  const allowed = (options.allow ?? []).map(parseEndpoint);
  const portsDenied = new Set(options.portsDenied ?? PORTS_DENIED);
  const isOwn = ownAddressTest(options.ownAddresses ?? interfaceAddresses);
  return {
    refusal(text, port) {
      if (!ipaddr.isValid(text)) return "is not an address";
      const address = ipaddr.parse(text);
      if (allowed.some((endpoint) => endpoint.covers(address, port))) return undefined;
      if (portsDenied.has(port) || port === 0)
        return `is at port ${port}, which guests may not use`;
      if (!isPublic(address)) return "is not a public address";
      return isOwn(address) ? "is an address of this machine" : undefined;
    },
  };
}

function isPublic(address: Address): boolean {
  if (DENIED.some((range) => covers(range, address))) return false;
  if (address.kind() === "ipv6" && !covers(GLOBAL_UNICAST, address)) return false;
  return address.range() === "unicast";
}

function covers([network, bits]: Range, address: Address): boolean {
  return network.kind() === address.kind() && address.match([network, bits] as never);
}

function parseEndpoint(text: string) {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:]+)):(?<port>\d{1,5}|\*)$/.exec(text);
  const host = match?.groups?.["v6"] ?? match?.groups?.["v4"] ?? "";
  const port = match?.groups?.["port"];
  const range = parseRange(host);
  if (range === undefined || port === undefined) {
    throw new IgniteError({
      code: "invalid_argument",
      reason: "INVALID_ARGUMENT",
      message: `"${text}" is not an endpoint that can be opened to guests.`,
      hint: "Write ADDRESS:PORT, for example 10.0.0.5:8080, 10.1.0.0/16:443 or [fd00::1]:*.",
    });
  }
  return {
    covers: (address: Address, asked: number) =>
      (port === "*" || Number(port) === asked) && covers(range, address),
  };
}

function parseRange(text: string): Range | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128] as Range;
}

function ownAddressTest(list: () => readonly string[]): (address: Address) => boolean {
  let own = new Set<string>();
  let readMs = Number.NEGATIVE_INFINITY;
  return (address) => {
    if (performance.now() - readMs > OWN_ADDRESSES_TTL_MS) {
      own = new Set(list().map((text) => ipaddr.parse(text).toNormalizedString()));
      readMs = performance.now();
    }
    return own.has(address.toNormalizedString());
  };
}

function interfaceAddresses(): string[] {
  const interfaces = Object.values(networkInterfaces());
  return interfaces.flatMap((entries) => (entries ?? []).map((entry) => entry.address));
}
