// Runs all hostile templates in this process, which is started with little memory: node --max-old-space-size=64 hostile-child.ts
import { CODE, DEEP, LARGE, LONG, POLLUTING, REACHING, SOURCES } from "./hostile.ts";
import { outcome } from "./hostile-outcome.ts";

const templates = [
  ...[REACHING, CODE, POLLUTING, LONG, LARGE].flatMap((list) => list.map(([template]) => template)),
  ...[DEEP, SOURCES].flatMap((list) => list.map(([, template]) => template)),
];
for (const template of templates) outcome(template);
console.log(`${templates.length} done`);
