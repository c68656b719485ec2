/**
 * A look at PEM text (RFC 7468) without a cryptography library: is this what it says it is, whole and in one piece? Whether
 * certificate and key belong together and are in date is for the proxy, which has the library.
 */

/** Block labels of private keys that TLS servers load. */
const PRIVATE_KEYS = new Set(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]);

/** What is wrong with a certificate chain (or a bundle of authorities), or undefined. */
export function findChainFlaw(text: string): string | undefined {
  return findFlaw(text, "CERTIFICATE");
}

/** What is wrong with a bundle of revocation lists, or undefined. */
export function findRevocationsFlaw(text: string): string | undefined {
  return findFlaw(text, "X509 CRL");
}

/** What is wrong with one or more blocks of one label. */
function findFlaw(text: string, wanted: string): string | undefined {
  const blocks = readBlocks(text);
  if (typeof blocks === "string") return blocks;
  if (blocks.length === 0) return "it holds no PEM block";
  const foreign = blocks.find(({ label }) => label !== wanted);
  if (foreign !== undefined) return `it holds a ${foreign.label} block where only ${wanted} may be`;
  return findBrokenBlock(blocks);
}

/** What is wrong with a private key, or undefined. */
export function findKeyFlaw(text: string): string | undefined {
  const blocks = readBlocks(text);
  if (typeof blocks === "string") return blocks;
  if (blocks.some(({ label }) => label === "ENCRYPTED PRIVATE KEY"))
    return "it is encrypted; store it without a passphrase";
  const keys = blocks.filter(({ label }) => PRIVATE_KEYS.has(label));
  if (keys.length !== 1)
    return keys.length === 0 ? "it holds no private key block" : "it holds more than one private key";
  return findBrokenBlock(keys);
}

interface Block {
  readonly label: string;
  readonly body: string;
}

function readBlocks(text: string): Block[] | string {
  const blocks: Block[] = [];
  for (const [, label = "", body = "", end = ""] of text.matchAll(
    /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g,
  )) {
    if (label !== end) return `a ${label} block ends as ${end}`;
    blocks.push({ label, body });
  }
  const begun = text.split("-----BEGIN ").length - 1;
  return begun === blocks.length ? blocks : "a PEM block is cut off or malformed";
}

function findBrokenBlock(blocks: readonly Block[]): string | undefined {
  const broken = blocks.find(({ label, body }) => !isDerSequence(decodeBase64(body), label));
  return broken === undefined ? undefined : `the ${broken.label} block does not hold DER data`;
}

/**
 * Whether bytes, as a string of characters up to U+00FF, are one DER value of type SEQUENCE and nothing else (X.690 section
 * 8.1): what every certificate, key and signed list is. `label` is that of the PEM block they come from.
 */
export function isDerSequence(bytes: string | undefined, label = ""): boolean {
  if (bytes === undefined || bytes.length < 2 || bytes.charCodeAt(0) !== SEQUENCE) return false;
  const first = bytes.charCodeAt(1);
  if (first < LONG_FORM) return bytes.length === 2 + first;
  const size = first - LONG_FORM;
  if (size === 0 || size > MOST_LENGTH_BYTES || bytes.length < 2 + size) return false;
  let length = 0;
  for (let index = 0; index < size; index++) length = length * 256 + bytes.charCodeAt(2 + index);
  const whole = 2 + size + length;
  // Keys may be followed by padding that some tools write; certificates and revocation lists are signed and may not.
  return PRIVATE_KEYS.has(label) ? bytes.length >= whole : bytes.length === whole;
}

const SEQUENCE = 0x30;
const LONG_FORM = 0x80;
const MOST_LENGTH_BYTES = 4;

/** Bytes of base64 text with white space in it, as a string of characters up to U+00FF; undefined where it is none. */
export function decodeBase64(body: string): string | undefined {
  const text = body.replaceAll(/\s/g, "");
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return atob(text);
}
