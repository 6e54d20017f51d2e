import type { Cluster } from './cluster.ts';

/** The same cluster; `onRequest` is called before each request, watch and WebSocket. */
export const countRequests = (cluster: Cluster, onRequest: () => void): Cluster => ({
  ...cluster,
  request: (request) => {
    onRequest();
    return cluster.request(request);
  },
  stream: (request) => {
    onRequest();
    return cluster.stream(request);
  },
  webSocket: (request, protocol) => {
    onRequest();
    return cluster.webSocket(request, protocol);
  },
});
