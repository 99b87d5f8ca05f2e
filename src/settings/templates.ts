// Settings of templates: how they are read, and from where. Pure.
import { DAY, natural, positive, type Settings } from "./formats.ts";

export const TEMPLATES = {
  templateTrimBlocks: {
    doc: "Jinja2's `trim_blocks` for all templates: the line end after a block tag goes.",
    format: "flag",
    default: false,
    env: "OPJOB_TEMPLATE_TRIM_BLOCKS",
  },
  templateLstripBlocks: {
    doc: "Jinja2's `lstrip_blocks` for all templates: white space before a block tag that begins its line goes.",
    format: "flag",
    default: false,
    env: "OPJOB_TEMPLATE_LSTRIP_BLOCKS",
  },
  templateCacheSeconds: {
    doc: "How long a template from a store (`s3://`, `gs://`, `az://`, `https://`) is used before the store is asked whether it changed.",
    unit: "s",
    format: natural(DAY),
    default: 30,
    env: "OPJOB_TEMPLATE_CACHE_SECONDS",
  },
  templateTimeoutSeconds: {
    doc: "Deadline of one read of a template.",
    unit: "s",
    format: positive(600),
    default: 10,
    env: "OPJOB_TEMPLATE_TIMEOUT_SECONDS",
  },
  allowHttpTemplates: {
    doc: "Whether a template may be read over plain `http://`. Whoever stands between opjob and that host can then run what they like in your cluster.",
    format: "flag",
    default: false,
    env: "OPJOB_ALLOW_HTTP_TEMPLATES",
  },
} satisfies Settings;
