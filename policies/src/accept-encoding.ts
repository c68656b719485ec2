/**
 * Which content coding a client likes best (RFC 9110 section 12.5.3). The field is read once from left to right, and comes from
 * outside: whatever is not as the grammar says makes its own element count for nothing, and no other.
 */

/** Weights that clients gave, in thousandths; undefined: not named. */
type Weights = Map<string, number>;

/** Characters; nobody sends more, and what is more is not read. */
const LONGEST = 4096;
/** weight = OWS ";" OWS "q=" qvalue, qvalue = 0[.ddd] or 1[.000]. */
const WEIGHT = /^[ \t]*[qQ]=(?:(0(?:\.\d{0,3})?)|1(?:\.0{0,3})?)[ \t]*$/;
const EVERYTHING = 1000;

/**
 * The first of `offered` among those the client likes best; undefined where it shall be left as it is: none is acceptable, the client
 * likes it better so, or says nothing.
 */
export function chooseCoding<Name extends string>(accept: string, offered: readonly Name[]): Name | undefined {
  if (accept === "" || accept.length > LONGEST) return undefined;
  const weights = parseWeights(accept, offered);
  const others = weights.get("*") ?? 0;
  let best: Name | undefined;
  let most = Math.max(0, (weights.get("identity") ?? 0) - 1);
  for (const name of offered) {
    const weight = weights.get(name) ?? others;
    if (weight <= most) continue;
    best = name;
    most = weight;
  }
  return best;
}

/** Of what is named twice the first counts. Names of nobody's interest are not noted: the map stays small. */
function parseWeights(accept: string, offered: readonly string[]): Weights {
  const weights: Weights = new Map();
  for (let at = 0; at < accept.length;) {
    const comma = accept.indexOf(",", at);
    const end = comma < 0 ? accept.length : comma;
    noteElement(weights, accept.slice(at, end), offered);
    at = end + 1;
  }
  return weights;
}

function noteElement(weights: Weights, element: string, offered: readonly string[]): void {
  const semicolon = element.indexOf(";");
  const name = toName(semicolon < 0 ? element : element.slice(0, semicolon));
  if (name !== "*" && name !== "identity" && !offered.includes(name)) return;
  if (!weights.has(name)) weights.set(name, semicolon < 0 ? EVERYTHING : toThousandths(element.slice(semicolon + 1)));
}

/** RFC 9110 section 8.4.1.3: a recipient takes x-gzip for gzip. */
function toName(text: string): string {
  const name = text.trim().toLowerCase();
  return name === "x-gzip" ? "gzip" : name;
}

function toThousandths(parameter: string): number {
  const found = WEIGHT.exec(parameter);
  if (found === null) return 0;
  const [, fraction] = found;
  return fraction === undefined ? EVERYTHING : Math.round(Number(fraction) * EVERYTHING);
}
