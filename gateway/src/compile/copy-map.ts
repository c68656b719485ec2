/** Copies of large maps, beside traffic. */

/** Below this a copy takes a fraction of a millisecond. */
const SMALL = 2048;
/** Entries copied between two yields. */
const SLICE = 512;

/** A copy that can be changed; yields on the way where the map is large. */
export function* copyMap<K, V>(map: ReadonlyMap<K, V>): Generator<void, Map<K, V>, void> {
  if (map.size < SMALL) return new Map(map);
  const copy = new Map<K, V>();
  for (const [key, value] of map) {
    copy.set(key, value);
    if (copy.size % SLICE === 0) yield;
  }
  return copy;
}
