import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestEgress, type TestServer, testEgress, testServer } from "./testing.ts";

/** Names as a hostile DNS server answers them. */
const NAMES: Record<string, string[]> = {
  "loopback.test": ["127.0.0.1"],
  "loopback6.test": ["::1"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "private.test": ["10.0.0.1"],
  "metadata.test": ["169.254.169.254"],
  "mixed.test": ["93.184.216.34", "127.0.0.1"],
  "nat64.test": ["64:ff9b::7f00:1"],
  "own.test": ["198.41.0.99"],
  "unspecified.test": ["0.0.0.0"],
  "localhost.test.": ["127.0.0.1"],
};

let sandbox: TestEgress;
let canaries: TestServer[] = [];
let port: number;
let resolved: string[];

beforeAll(async () => {
  const v4 = await testServer((_request, response) => response.end("secret"));
  ({ port } = v4);
  const same = { host: "::1", port };
  const v6 = await testServer((_request, response) => response.end("secret"), same).catch(() => v4);
  canaries = [v4, v6];
  resolved = [];
  sandbox = await testEgress({
    ownAddresses: () => ["198.41.0.99"],
    async resolve(hostname) {
      resolved.push(hostname);
      const addresses = NAMES[hostname] ?? [];
      return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
  });
});

afterAll(async () => {
  await sandbox.stop();
  await Promise.all([...new Set(canaries)].map((canary) => canary.stop()));
});

const HOSTS = [
  // Loopback, in every spelling of IPv4
  ...["127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001"],
  ...["0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "017700000001", "0177.1", "127.0.0.0x1"],
  ...["0x7F.0X0.0.1", "127.0.0.1.", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "0", "0.0.0.0", "0x0"],
  // Digits and dots of other alphabets
  ...["①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "１２７.0.0.1"],
  // Private, shared, link-local, metadata
  ...["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "167772161"],
  ...["169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"],
  ...["100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
  // Reserved, documentation, benchmarks, multicast, broadcast
  ...["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1"],
  ...["224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"],
  // IPv6
  ...["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
  ...["[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]"],
  ...["[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]"],
  ...["[2001::1]", "[2001:0:7f00:1::]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]"],
  ...["[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]"],
  ...["[2001:10::1]", "[2001:20::1]", "[::ffff:8.8.8.8]"],
  // Names that resolve to such addresses
  ...Object.keys(NAMES),
];

test.each(HOSTS)("a guest does not reach http://%s/", async (host) => {
  const answer = await sandbox.call({ url: `http://${host}:${port}/` });
  expect(answer.headers["ignite-egress-error"]).toBe("EGRESS_DENIED");
  expect(answer.status).toBe(403);
  expect(canaries.map((canary) => canary.connections())).toEqual([0, 0]);
});

const URLS = [
  "http://user@127.0.0.1:PORT/",
  "http://example.com@127.0.0.1:PORT/",
  "http://example.com:80@127.0.0.1:PORT/",
  "http://127.0.0.1:PORT@example.com/",
  "http://127.0.0.1:PORT\\@example.com/",
  "http://127.0.0.1:PORT\\.example.com/",
  "http:\\\\127.0.0.1:PORT\\",
  "http:/127.0.0.1:PORT/",
  "http:127.0.0.1:PORT/",
  "http:///127.0.0.1:PORT/",
  " http://127.0.0.1:PORT/ ",
  "http://127.0.0.1\t:PORT/",
  "HtTp://127.0.0.1:PORT/",
  "http://127.0.0.1:PORT#@example.com/",
  "http://127.0.0.1:PORT?@example.com/",
  "https://127.0.0.1:PORT/",
  "ws://127.0.0.1:PORT/",
  "wss://127.0.0.1:PORT/",
  "file:///etc/passwd",
  "ftp://127.0.0.1:PORT/",
  "gopher://127.0.0.1:PORT/",
  "data:text/plain,hello",
  "javascript:1",
  "unix:/run/docker.sock",
  "//127.0.0.1:PORT/",
  "/etc/passwd",
  "",
  "http://",
  "http://[::1/",
  "http://127.0.0.1:99999/",
  "http://93.184.216.34:0/",
  "http://93.184.216.34:25/",
];

test.each(URLS)("a guest does not reach %j", async (template) => {
  const answer = await sandbox.call({ url: template.replace("PORT", String(port)) });
  expect(answer.headers["ignite-egress-error"]).toBe("EGRESS_DENIED");
  expect(canaries.map((canary) => canary.connections())).toEqual([0, 0]);
});

test("a name that changes its address between check and dial is dialled as checked", async () => {
  const answers = [[{ address: "127.0.0.1", family: 4 }], [{ address: "10.0.0.1", family: 4 }]];
  const rebinding = await testEgress({
    allow: [`127.0.0.1:${port}`],
    resolve: async () => answers.shift() ?? [],
  });
  const before = canaries[0]?.connections() ?? 0;
  const first = await rebinding.call({ url: `http://rebind.test:${port}/` });
  expect([first.status, first.body]).toEqual([200, "secret"]);
  expect(answers).toHaveLength(1); // Asked once
  const second = await rebinding.call({ url: `http://rebind.test:${port}/` });
  expect(second.headers["ignite-egress-error"]).toBe("EGRESS_DENIED");
  expect(canaries[0]?.connections()).toBe(before + 1);
  await rebinding.stop();
});

test("a redirect is handed to the guest, and its target is checked like any other", async () => {
  const hop = await testServer((_request, response) => {
    response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
  });
  const open = await testEgress({ allow: [`127.0.0.1:${hop.port}`] });
  const first = await open.call({ url: `http://127.0.0.1:${hop.port}/` });
  expect([first.status, first.headers.location]).toEqual([302, "http://169.254.169.254/latest"]);
  const second = await open.call({ url: first.headers.location ?? "" });
  expect(second.status).toBe(403);
  await open.stop();
  await hop.stop();
});

test("an address that is written out is never looked up", () => {
  const names = Object.keys(NAMES);
  expect(resolved.filter((name) => !names.includes(name) && name !== "")).toEqual([]);
});
