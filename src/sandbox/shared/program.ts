/** What runs in the place of a container's image. */
export interface Program {
  /** @throws UsageError when it can't be started at all */
  start(container: ContainerStart): Promise<RunningContainer>;
}

/** What a container is started with. Paths are those of this machine: what the pod mounts lies in folders of the sandbox. */
export interface ContainerStart {
  readonly namespace: string;
  readonly pod: string;
  /** The name of the container. */
  readonly name: string;
  readonly command: readonly string[];
  /** `args` of the container, mount paths replaced. */
  readonly args: readonly string[];
  /** `env` of the container, mount paths replaced. */
  readonly env: Readonly<Record<string, string>>;
  /** A kubeconfig file whose user is the pod's ServiceAccount. */
  readonly kubeconfig: string;
  /** Folders by the mount path that stands for them. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Where the control plane reaches what listens on every address of this machine; a loopback address where that is enough. */
  readonly podAddress: string;
  /** Where it should listen: the port that the container declares when it is free here, otherwise another one. `undefined` when it declares none. */
  readonly port: number | undefined;
  /** Port that the container declares. */
  readonly declaredPort: number | undefined;
  /** Takes what it says, for its log. */
  readonly log: (text: string) => void;
}

export interface RunningContainer {
  /** Where it listens after all, when that is not the port that it was told. */
  readonly port?: number | undefined;
  /** Resolves when it has ended, with its exit code, 128 + signal included. */
  readonly ended: Promise<number>;
  /** Ends it (SIGTERM, then SIGKILL) and waits until it is gone. */
  stop(): Promise<void>;
  /** What it has used so far; undefined where this system does not tell. */
  usage?(): Usage | undefined;
}

/** CPU time since the start, and memory now. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}
