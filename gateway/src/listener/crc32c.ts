/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), which PROXY headers may carry. Node has only the other CRC-32. */

const REVERSED = 0x82f63b78;
const table: { words: Uint32Array | undefined } = { words: undefined };

/** The checksum of these bytes, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  const words = (table.words ??= toTable());
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (words[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

function toTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ REVERSED : crc >>> 1;
    return crc;
  });
}
