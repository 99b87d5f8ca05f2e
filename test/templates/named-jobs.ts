// Jobs with names and labels that Kubernetes takes, and some that it does not. Knows templates' texts only.

/** A Job with this metadata, more of its Pod's, and this name of its container. */
export const jobText = (metadata: string, pod = "", name = "worker"): string => `apiVersion: batch/v1
kind: Job
metadata: {${metadata}}
spec: {template: {metadata: {labels: {a: b}${pod}}, spec: {restartPolicy: Never, containers: [{name: ${name}, image: x}]}}}`;
const LONG = "a".repeat(64);

type Refused = readonly [what: string, source: string, words: string, remedy: string];
export const REFUSED: readonly Refused[] = [
  ["a name with capitals", jobText("name: Echo"), "metadata.name must consist of", "{{ _name }}"],
  ["a name with an underscore", jobText("name: a_b"), "metadata.name must", "{{ _name }}"],
  ["a generateName with a blank", jobText("generateName: a b-"), "metadata.generateName must", "{{ _name }}"],
  ["a namespace of more words", jobText("name: a, namespace: a.b"), "metadata.namespace must", "namespace"],
  ["a long namespace", jobText(`name: a, namespace: ${LONG}`), "metadata.namespace must", "namespace"],
  [
    "a long label",
    jobText(`name: a, labels: {task: ${LONG}}`),
    "metadata.labels.task must be at most 63",
    "annotation",
  ],
  ["a label with a slash", jobText("name: a, labels: {task: a/b}"), "metadata.labels.task must", "annotation"],
  [
    "a label of the Pod",
    jobText("name: a", ", annotations: {x y: z}"),
    'key "x y" of spec.template.metadata.annotations',
    "key",
  ],
  ["a long key", jobText(`name: a, labels: {${LONG}: x}`), "of metadata.labels must be a name of at most 63", "key"],
  [
    "a key with a strange domain",
    jobText("name: a, annotations: {A_B/c: x}"),
    'key "A_B/c" of metadata.annotations',
    "key",
  ],
  ["a name with an empty word", jobText("name: a..b"), "metadata.name must consist of", "{{ _name }}"],
  ["a name with a dash before a point", jobText("name: a-.b"), "metadata.name must consist of", "{{ _name }}"],
  ["a name that ends with a point", jobText("name: a."), "metadata.name must consist of", "{{ _name }}"],
  [
    "a container's name",
    jobText("name: a", "", "My_Worker"),
    "spec.template.spec.containers[0].name must",
    "container",
  ],
];

export const ACCEPTED: readonly (readonly [what: string, source: string])[] = [
  ["names of all kinds", jobText("name: a-1.b, namespace: team-a")],
  ["labels", jobText("name: a, labels: {app.kubernetes.io/name: a_b.c-D, 1: '', x: }")],
  ["annotations with any text", jobText("name: a, annotations: {note: 'a b: c/d'}")],
  ["an annotation for a domain in capitals", jobText("name: a, annotations: {Example.com/note: a}")],
  ["no name at all", jobText("")],
  ["a generateName", jobText("generateName: echo-")],
];
