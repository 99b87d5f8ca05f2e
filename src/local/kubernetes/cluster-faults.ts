// All faults of the cluster behind one object: of requests, of watches, and of the node. It adds nothing to them.
import type { RequestFaults } from "./faults.ts";
import type { NodeFaults } from "./node-faults.ts";
import type { Store } from "./store.ts";
import type { Watches } from "./watching.ts";

type OfRequests = Pick<RequestFaults, "answerNext" | "loseReplies" | "slow" | "freeze" | "thaw" | "clear">;
type OfNode = Pick<
  NodeFaults,
  | "refuseImage"
  | "allowImages"
  | "setCapacity"
  | "setNode"
  | "evict"
  | "killContainer"
  | "deletePod"
  | "deleteNode"
  | "addNode"
>;
export type ClusterFaults = OfRequests &
  OfNode & {
    /** Destroys the connections of all watches. */
    readonly cutWatches: () => void;
    /** Forgets the changes so far: what begins before is answered 410. @param endWatches tells open watches so, too */
    readonly expireHistory: (endWatches?: boolean) => void;
  };

type Parts = {
  readonly requests: RequestFaults;
  readonly node: NodeFaults;
  readonly watches: Watches;
  readonly store: Store;
};

export function clusterFaults({ requests, node, watches, store }: Parts): ClusterFaults {
  return {
    answerNext: (...given) => requests.answerNext(...given),
    loseReplies: (...given) => requests.loseReplies(...given),
    slow: (...given) => requests.slow(...given),
    freeze: () => requests.freeze(),
    thaw: () => requests.thaw(),
    clear: () => requests.clear(),
    refuseImage: (pattern) => node.refuseImage(pattern),
    allowImages: () => node.allowImages(),
    setCapacity: (capacity) => node.setCapacity(capacity),
    setNode: (change) => node.setNode(change),
    evict: (...given) => node.evict(...given),
    killContainer: (...given) => node.killContainer(...given),
    deletePod: (name) => node.deletePod(name),
    deleteNode: () => node.deleteNode(),
    addNode: () => node.addNode(),
    cutWatches: () => watches.cut(),
    expireHistory: (endWatches = false) => {
      store.forgetHistory();
      if (endWatches) watches.expire();
    },
  };
}
