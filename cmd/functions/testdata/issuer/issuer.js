'use strict';

// An OpenID Connect issuer for tests: oidc-provider, whose keys are rotated by POST /rotate, and by POST /retire those
// before the last one are taken back. It prints its address.

const { createServer } = require('node:http');
const { generateKeyPairSync } = require('node:crypto');

const keys = [];
let provider;

function newKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = `key-${Date.now()}-${keys.length}`;
  keys.unshift(Object.assign(privateKey.export({ format: 'jwk' }), { kid, alg: 'ES256', use: 'sig' }));
}

const info = {
  scope: '', audience: 'functions', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'ES256' } },
};

async function restart(issuer) {
  const { default: Provider } = await import('oidc-provider');
  provider = new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: 'ci', client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      id_token_signed_response_alg: 'ES256',
    }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, defaultResource: () => 'urn:functions', getResourceServerInfo: () => info },
    },
    extraTokenClaims: () => ({ groups: ['shop-team'] }),
  });
}

const server = createServer(async (req, res) => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  if (req.url === '/rotate') newKey();
  else if (req.url === '/retire') keys.splice(1);
  else {
    provider.callback()(req, res);
    return;
  }
  await restart(issuer);
  res.end();
});

server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  newKey();
  await restart(issuer);
  console.log(issuer);
});
