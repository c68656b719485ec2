/** What a translation was told of proxies: whether another one would be told the same. */
import type { ProxyFacts, ProxyObstacle } from "./translator.ts";

/** Passes questions on and notes the answers. */
export class ToldObstacles implements ProxyFacts {
  readonly #facts: ProxyFacts;
  readonly #told = new Map<string, string>();

  constructor(facts: ProxyFacts) {
    this.#facts = facts;
  }

  /** See ProxyFacts. */
  get ingressService(): ProxyFacts["ingressService"] {
    return this.#facts.ingressService;
  }

  /** See ProxyFacts. */
  obstaclesOf(gateway: string): readonly ProxyObstacle[] {
    const obstacles = this.#facts.obstaclesOf(gateway);
    this.#told.set(gateway, JSON.stringify(obstacles));
    return obstacles;
  }

  /** Whether `facts` says the same to all that was asked. It is asked everything, as by a translation. */
  isSame(facts: ProxyFacts): boolean {
    const { namespace, name } = this.ingressService;
    if (facts.ingressService.namespace !== namespace || facts.ingressService.name !== name) return false;
    return [...this.#told].every(([gateway, text]) => JSON.stringify(facts.obstaclesOf(gateway)) === text);
  }
}
