import { type Check, observation, seen } from './check.ts';

/** The Service that the APIService points at, and its port. The proxy needs the port of every Service but an ExternalName (k8s.io/apiserver/pkg/util/proxy/proxy.go). */
export const checkService: Check = ({ snapshot, api }) => {
  if (!api.service) return [];
  if (snapshot.service.state === 'absent') return [observation('service/missing', [`spec.service: ${JSON.stringify(api.service)}`])];
  const service = seen(snapshot.service);
  if (!service || service.type === 'ExternalName' || service.ports.some(({ port }) => port === api.service?.port)) return [];
  const ports = service.ports.map(({ name, port }) => (name ? `${port} (${name})` : String(port))).join(', ');
  return [
    observation('service/port-missing', [
      `ports of the Service: ${ports || 'none'}`,
      `spec.service.port of the APIService: ${api.service.port}`,
    ]),
  ];
};
