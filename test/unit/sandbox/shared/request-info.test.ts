import { expect, test } from 'vitest';
import { requestInfoOf } from '../../../../src/sandbox/shared/request-info.ts';

const resource = { isResource: true, group: '', version: 'v1', resource: '', subresource: '', namespace: '', name: '' };

// As in k8s.io/apiserver/pkg/endpoints/request/requestinfo_test.go.
test.each([
  ['GET', '/api/v1/namespaces', { ...resource, verb: 'list', resource: 'namespaces' }],
  ['GET', '/api/v1/namespaces/other', { ...resource, verb: 'get', resource: 'namespaces', namespace: 'other', name: 'other' }],
  [
    'PUT',
    '/api/v1/namespaces/other/status',
    { ...resource, verb: 'update', resource: 'namespaces', subresource: 'status', namespace: 'other', name: 'other' },
  ],
  ['GET', '/api/v1/namespaces/other/pods', { ...resource, verb: 'list', resource: 'pods', namespace: 'other' }],
  ['GET', '/api/v1/pods?watch', { ...resource, verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/pods?watch=false', { ...resource, verb: 'list', resource: 'pods' }],
  [
    'GET',
    '/api/v1/namespaces/other/pods?fieldSelector=metadata.name%3Dfoo',
    { ...resource, verb: 'list', resource: 'pods', namespace: 'other', name: 'foo' },
  ],
  [
    'GET',
    '/api/v1/namespaces/other/pods/foo/log',
    { ...resource, verb: 'get', resource: 'pods', subresource: 'log', namespace: 'other', name: 'foo' },
  ],
  [
    'GET',
    '/api/v1/namespaces/other/services/https:foo:443/proxy/a/b',
    { ...resource, verb: 'get', resource: 'services', subresource: 'proxy', namespace: 'other', name: 'https:foo:443' },
  ],
  [
    'POST',
    '/apis/apps/v1/namespaces/other/deployments/',
    { ...resource, verb: 'create', group: 'apps', resource: 'deployments', namespace: 'other' },
  ],
  [
    'DELETE',
    '/apis/apps/v1/namespaces/other/deployments',
    { ...resource, verb: 'deletecollection', group: 'apps', resource: 'deployments', namespace: 'other' },
  ],
  ['OPTIONS', '/api/v1/pods', { ...resource, verb: '', resource: 'pods' }],
  ['GET', '/apis/apps/v1', { ...resource, isResource: false, verb: 'get', version: '' }],
  ['GET', '/apis/apps', { ...resource, isResource: false, verb: 'get', version: '' }],
  ['POST', '/version', { ...resource, isResource: false, verb: 'post', version: '' }],
])('%s %s', (method, target, expected) => {
  const url = new URL(target, 'https://x');
  expect(requestInfoOf(method, url)).toEqual({ ...expected, path: url.pathname });
});

test('the path is unescaped before it is split', () => {
  const { path, name } = requestInfoOf('GET', new URL('https://x/api/v1/nodes/a%3Ab'));
  expect([path, name]).toEqual(['/api/v1/nodes/a:b', 'a:b']);
  expect(() => requestInfoOf('GET', new URL('https://x/api/v1/nodes/%zz'))).toThrow(URIError);
});
