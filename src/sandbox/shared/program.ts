/** Runs in place of a container image. */
export interface Program {
  /** @throws UsageError when it cannot be started */
  start(container: ContainerStart): Promise<RunningContainer>;
}

/** Paths are those of this host: volumes are folders of the sandbox. */
export interface ContainerStart {
  readonly namespace: string;
  readonly pod: string;
  readonly name: string;
  readonly command: readonly string[];
  /** With mount paths replaced, as in `env`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A kubeconfig file of the pod's ServiceAccount. */
  readonly kubeconfig: string;
  /** Folders by mount path. */
  readonly mounts: Readonly<Record<string, string>>;
  /** The address of this host at which the control plane reaches pods. */
  readonly podAddress: string;
  /** The declared port when it is free, otherwise another one; undefined when none is declared. */
  readonly port: number | undefined;
  readonly declaredPort: number | undefined;
  /** Appends to the log of the container. */
  readonly log: (text: string) => void;
}

export interface RunningContainer {
  /** The port where it listens, when that is another one than requested. */
  readonly port?: number | undefined;
  /** Resolves with the exit code, which is 128 + signal after a signal. */
  readonly ended: Promise<number>;
  /** Sends SIGTERM, then SIGKILL, and waits until it has ended. */
  stop(): Promise<void>;
}
