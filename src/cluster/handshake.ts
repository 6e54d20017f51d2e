import * as z from 'zod';
import type { DeepReadonly } from '../config/deep-readonly.ts';
import { certificateSchema } from '../pki/certificate-schema.ts';

/** Why a handshake failed. */
const fault = z.enum([
  /** The address refuses the connection; for a pod, both localhost and its address. */
  'refused',
  /**
   * localhost in the pod refuses the connection. The server may listen on the address of the pod
   * only.
   */
  'localhost-refused',
  /** No TCP connection in time. */
  'timeout',
  /** A connection, but no TLS handshake in time. */
  'tls-timeout',
  'no-route',
  'not-tls',
  'reset',
  /**
   * Nothing is known of the server: kube-apiserver or the kubelet does not forward to the pod, the
   * forwarding broke off, or it leads to a localhost on which the server does not listen.
   */
  'no-forward',
  'other',
]);

const failed = z.object({ kind: z.literal('failed'), fault, words: z.string() });

/**
 * The TLS handshake with one endpoint, as kube-apiserver makes it, but without a verdict on the
 * certificate.
 */
export const handshakeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('served'), certificates: z.array(certificateSchema), protocol: z.string() }),
  failed,
]);

/**
 * How the handshake was made: by port-forward to localhost in the pod, or directly with the
 * address.
 */
export const viaSchema = z.enum(['pod', 'address']);

export type Handshake = DeepReadonly<z.infer<typeof handshakeSchema>>;
export type FailedHandshake = DeepReadonly<z.infer<typeof failed>>;
export type DialFault = z.infer<typeof fault>;
export type Via = z.infer<typeof viaSchema>;

/** A handshake with an endpoint. */
export type EndpointHandshake = Handshake & {
  readonly via: Via;
  /**
   * Why the port-forward into the pod failed, where the handshake was made with the address
   * instead.
   */
  readonly noForward?: string;
};
