// What the aliases of a YAML document stand for. Pure. The library would look through the whole document for each of them.
import { type Alias, isAlias, isMap, isPair, isScalar, isSeq, type Node } from "yaml";

/** For each alias the nearest node before it that has its anchor; none where there is no such node. */
export function aliasTargets(contents: Node): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  for (const node of inOrder(contents)) {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target) targets.set(node, target);
    } else if (node.anchor !== undefined) {
      anchors.set(node.anchor, node);
    }
  }
  return targets;
}

type Anchored = Alias | (Node & { anchor?: string });

/** The nodes as they stand in the text. */
function* inOrder(contents: Node): Generator<Anchored, void, undefined> {
  const waiting: unknown[] = [contents];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (isPair(node)) waiting.push(node.value, node.key);
    else if (isMap(node) || isSeq(node)) waiting.push(...node.items.toReversed());
    if (isAlias(node) || isMap(node) || isSeq(node) || isScalar(node)) yield node;
  }
}
