/** A Kubernetes object as JSON has it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

/** Somebody's manifests as they were read: the file as it is called in messages, and its text. */
export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

/** One object to apply, and the same object as a person would want to read it. */
export interface Manifest {
  readonly object: KubeObject;
  /** One YAML document with comments, without `---`, ending in a line end. */
  readonly text: string;
  /** `<rank>-<what>.yaml`: files sorted by name are in an order that is safe to apply. */
  readonly fileName: string;
}
