/** IP addresses as text, without node:net. */

/** 4 or 6 for an IP literal (no brackets, no zone, no port), undefined for anything else. */
export function toIpVersion(text: string): 4 | 6 | undefined {
  if (isIpv4(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

/** The text that all ways of writing an IPv6 address have in common (RFC 5952); anything else as it is. */
export function toPlainAddress(text: string): string {
  return toIpVersion(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 section 2.2: eight groups of hex digits, one `::` for one or more zero groups, the last two maybe as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return false;
  const groups = halves.map(toGroups);
  let length = 0;
  for (const [index, half] of groups.entries()) {
    const isLast = index === groups.length - 1;
    for (const [position, group] of half.entries()) {
      if (/^[0-9a-f]{1,4}$/i.test(group)) length += 1;
      else if (isLast && position === half.length - 1 && isIpv4(group)) length += 2;
      else return false;
    }
  }
  return halves.length === 2 ? length < 8 : length === 8;
}

function toGroups(half: string): string[] {
  return half === "" ? [] : half.split(":");
}
