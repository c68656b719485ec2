// Addresses of special use, however they are written; what an address is at all is as Node has it.
import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { findSpecialUse } from "./special-use.ts";

test("addresses that stand for no other machine are known in all of their clothes", () => {
  const uses: Readonly<Record<string, readonly string[]>> = {
    unspecified: ["0.0.0.0", "0.1.2.3", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "64:ff9b::", "::%lo"],
    loopback: [
      ...["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "0000::0001", "::1%lo", "::0.0.0.1"],
      ...["::ffff:127.0.0.1", "::FFFF:7f00:1", "0:0:0:0:0:ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1"],
      ...["64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::127.0.0.1", "64:ff9b:1:2:3:4:7f00:1", "2002:7f00:1::"],
    ],
    "link-local": [
      ...["169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf:ffff::", "::ffff:169.254.169.254"],
      ...["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"],
    ],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1", "::ffff:224.0.0.1"],
    broadcast: ["255.255.255.255", "::ffff:255.255.255.255"],
    metadata: ["fd00:ec2::254", "fd00:0ec2::23"],
    malformed: [
      ...["", "localhost", "127.1", "127.0.0.01", "0x7f000001", "2130706433", "1.2.3.4.5", ":::", "1::2::3", "[::1]"],
      ...["1.2.3.4::", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7", "::g", "::12345", "::1.2.3"],
    ],
  };
  for (const [use, addresses] of Object.entries(uses))
    for (const address of addresses) assert.equal(findSpecialUse(address), use, address);
});

test("addresses that may be other machines' are of no special use, private ones among them", () => {
  const inIpv4 = ["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "126.255.255.255", "128.0.0.1", "169.253.0.1"];
  const others = ["223.255.255.255", "240.0.0.1", "255.255.255.254", "1.0.0.0", "8.8.8.8"];
  const inIpv6 = [
    "fd00::1",
    "fd00:ec3::254",
    "2001:db8::1",
    "fec0::1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::",
  ];
  for (const address of [...inIpv4, ...others, ...inIpv6]) assert.equal(findSpecialUse(address), undefined, address);
});

/** Whether it may hold an IPv4 address, which blocks of Node's know only where it is mapped. */
function isDressed(address: string): boolean {
  return address.includes(":") && /^\[(::|2002:|64:ff9b:)/.test(new URL(`http://[${address}]`).hostname);
}

/** The oracle: the same ranges as Node's own list of blocks has them, dressed IPv4 aside. */
function listBlocks(): BlockList {
  const blocks = new BlockList();
  for (const [net, prefix] of [
    ["0.0.0.0", 8],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["224.0.0.0", 4],
    ["255.255.255.255", 32],
  ] as const)
    blocks.addSubnet(net, prefix, "ipv4");
  for (const [net, prefix] of [
    ["::1", 128],
    ["::", 128],
    ["fe80::", 10],
    ["ff00::", 8],
    ["fd00:ec2::", 32],
  ] as const)
    blocks.addSubnet(net, prefix, "ipv6");
  return blocks;
}

test("any address of either family is judged as Node's blocks do, and all that is none is malformed", () => {
  const blocks = listBlocks();
  const judge = (address: string): void => {
    const family = isIP(address);
    assert.equal(findSpecialUse(address) === "malformed", family === 0, address);
    if (family === 0 || isDressed(address)) return;
    const listed = blocks.check(address, family === 4 ? "ipv4" : "ipv6");
    assert.equal(findSpecialUse(address) !== undefined, listed, address);
  };
  const edges = fc.constantFrom(0, 1, 127, 169, 224, 239, 240, 254, 255);
  const octet = fc.oneof(edges, fc.nat(255));
  fc.assert(fc.property(fc.tuple(octet, octet, octet, octet), (octets) => judge(octets.join("."))));
  fc.assert(fc.property(fc.ipV6(), judge));
  const prefix = fc.constantFrom("fe80:", "febf:", "fec0:", "ff02:", "fd00:ec2:", "fd00:ec3:", "::");
  const text = fc.string({ unit: fc.constantFrom("0", "1", "2", "9", "a", "f", ":", "."), maxLength: 24 });
  fc.assert(fc.property(fc.tuple(prefix, text), ([start, end]) => judge(`${start}${end}`)));
});

test("IPv4 is the same in IPv6, mapped or behind NAT64", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const use = findSpecialUse(address);
      for (const prefix of ["::ffff:", "64:ff9b::", "::ffff:0:"])
        assert.equal(findSpecialUse(`${prefix}${address}`), use);
    }),
  );
});
