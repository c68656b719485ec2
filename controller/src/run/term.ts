/** What a replica has while it leads, and only then: made when it wins the Lease, and gone at once when it loses it. */
import type { Campaign } from "../lease/campaign.ts";
import type { ApiStatusWriter } from "../status/status-writer.ts";
import type { Provisioner } from "./contract.ts";
import type { ControlLoop } from "./control-loop.ts";

/** How to come by it. */
export interface TermMakers {
  readonly openStatuses: () => ApiStatusWriter;
  readonly openProvisioner: () => Provisioner;
}

interface Term {
  readonly statuses: ApiStatusWriter;
  readonly provisioner: Provisioner;
}

/** Terms of one replica, one after the other. */
export class Terms {
  readonly #campaign: Campaign;
  readonly #loop: ControlLoop;
  readonly #makers: TermMakers;
  readonly #stop: () => void;
  #term: Term | undefined;

  constructor(campaign: Campaign, loop: ControlLoop, makers: TermMakers) {
    this.#campaign = campaign;
    this.#loop = loop;
    this.#makers = makers;
    this.#stop = campaign.onChange(() => this.#turn());
    this.#turn();
  }

  /** Statuses that are to be looked at or written. */
  get pendingStatuses(): number {
    return this.#term?.statuses.pending ?? 0;
  }

  /** Ends the term, and hands the Lease over so that another replica leads at once. */
  async close(): Promise<void> {
    this.#stop();
    await this.#end();
    await this.#campaign.close();
  }

  #turn(): void {
    if (this.#campaign.isLeader === (this.#term !== undefined)) return;
    if (!this.#campaign.isLeader) {
      void this.#end();
      return;
    }
    this.#term = { statuses: this.#makers.openStatuses(), provisioner: this.#makers.openProvisioner() };
    this.#loop.lead(this.#term);
  }

  async #end(): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    this.#loop.follow();
    term?.statuses.close();
    await term?.provisioner.close();
  }
}
