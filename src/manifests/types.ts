/** A Kubernetes object as JSON. */
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

/** Manifests of the user: the file name for messages, and the text. */
export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

/** A file, or a document in it, that could not be read, or that kubectl cannot apply. */
export interface ManifestFault {
  readonly file: string;
  readonly kind: 'unreadable' | 'syntax' | 'template' | 'kustomization' | 'removed-version' | 'workload-selector' | 'duplicate-object';
  /** The removed version. */
  readonly apiVersion?: string;
  /** From 1. Absent for a whole file. */
  readonly line?: number;
  readonly column?: number;
  /** Why it could not be read, as the end of a sentence; otherwise the objects. */
  readonly words: string;
}

/** One object to apply, and the same object as commented YAML. */
export interface Manifest {
  readonly object: KubeObject;
  /** One YAML document with comments, without `---`, ending in a line end. */
  readonly text: string;
  /** `<rank>-<kind>.yaml`: files sorted by name are in a safe apply order. */
  readonly fileName: string;
}

/** A file to write: its name in the output directory and its text. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
  /** Contains a private key: mode 0600, ignored by git. */
  readonly private: boolean;
}
