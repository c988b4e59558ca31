// A certified OpenID provider on a free port of loopback, set up for the integration tests: rotation, short
// tokens, PKCE required, a login page that a script can fill in. It prints its issuer, and ends with its input.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import { Provider } from 'oidc-provider';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const secret = 'a secret of the client, with %3A and + in it';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const web = {
  client_secret: secret,
  grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  redirect_uris: ['https://app.example.com/callback'],
};
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
const api = `${issuer}/test/api`;
const clients = [
  {
    client_id: 'native',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
    redirect_uris: ['http://127.0.0.1/callback'],
  },
  { ...web, client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' },
  { ...web, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
  {
    client_id: 'bound',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://127.0.0.1/callback'],
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  },
  {
    client_id: 'service',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    jwks: { keys: [key.publicKey.export({ format: 'jwk' })] },
  },
];

const provider = new Provider(issuer, {
  clients,
  cookies: { keys: ['only for tests'] },
  ttl: { AccessToken: 2, IdToken: 60, RefreshToken: 600, Session: 600, Grant: 600, Interaction: 60, DeviceCode: 60 },
  rotateRefreshToken: true,
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email'] },
  scopes: ['openid', 'email', 'offline_access', 'read'],
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.com` }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // One client gets refresh tokens without offline_access, so also silently.
  issueRefreshToken: (_, client, code) => client.clientId === 'post' || code.scopes.has('offline_access'),
  // Nobody is asked for consent: these are first-party clients.
  async loadExistingGrant({ oidc }) {
    const known = oidc.result?.consent?.grantId || oidc.session.grantIdFor(oidc.client.clientId);
    const found = known && await provider.Grant.find(known);
    if (found) return found;
    const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
    grant.addOIDCScope('openid email offline_access');
    grant.addResourceScope(api, 'read');
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    resourceIndicators: {
      enabled: true,
      // Without the parameter, a token is for nobody's API: also after a refresh.
      useGrantedResource: () => false,
      getResourceServerInfo: () => ({ scope: 'read', audience: api, accessTokenFormat: 'opaque', accessTokenTTL: 2 }),
    },
    rpInitiatedLogout: {
      enabled: true,
      // For one client an ID token is enough to end the session; for the others a person has to confirm.
      async logoutSource(ctx, form) {
        if (ctx.oidc.client?.clientId !== 'post') {
          ctx.body = `<p>Log out?</p>${form}`;
          return;
        }
        await ctx.oidc.session.destroy();
        ctx.body = '<p>Logged out.</p>';
      },
    },
  },
});

// What the tests look at and do behind the provider's back, each for one account.
const grants = new Map();
const sessions = new Map();
const counts = {};
const count = (ctx, what) => {
  const account = ctx.oidc.account?.accountId;
  counts[account] ??= { refreshes: 0, reuses: 0 };
  counts[account][what] += 1;
};
provider.on('refresh_token.saved', (token) => grants.set(token.grantId, token.accountId));
provider.on('session.saved', (session) => sessions.set(session.uid, session.accountId));
provider.on('grant.success', (ctx) => ctx.oidc.params.grant_type === 'refresh_token' && count(ctx, 'refreshes'));
provider.on('grant.error', (ctx, err) => err.error_detail === 'refresh token already used' && count(ctx, 'reuses'));

const of = (map, account) => [...map].filter(([, owner]) => owner === account).map(([id]) => id);
const controls = {
  // An API that takes tokens for itself, and no others.
  async '/test/api'(ctx) {
    const [, value] = (ctx.get('authorization')).split(' ');
    const token = await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value);
    if (!token || token.aud !== api) ctx.throw(401);
    ctx.body = { sub: token.accountId ?? token.clientId, bound: Boolean(token.jkt) };
  },
  '/test/counts': (ctx, account) => { ctx.body = counts[account] ?? {}; },
  async '/test/revoke-refresh-tokens'(ctx, account) {
    for (const grant of of(grants, account)) await provider.RefreshToken.revokeByGrantId(grant);
    ctx.status = 204;
  },
  async '/test/end-sessions'(ctx, account) {
    for (const uid of of(sessions, account)) await (await provider.Session.findByUid(uid))?.destroy();
    ctx.status = 204;
  },
};

// The login page: a form with one field.
async function interaction(ctx) {
  if (ctx.method === 'GET') {
    ctx.body = `<form method="post" action="${ctx.path}"><input type="text" name="account"/></form>`;
    return;
  }
  const account = new URLSearchParams(await text(ctx.req)).get('account');
  const result = account ? { login: { accountId: account } } : { error: 'access_denied' };
  await provider.interactionDetails(ctx.req, ctx.res);
  await provider.interactionFinished(ctx.req, ctx.res, { ...result, consent: {} });
  ctx.respond = false;
}

provider.use((ctx, next) => {
  if (controls[ctx.path]) return controls[ctx.path](ctx, ctx.query.account);
  return ctx.path.startsWith('/interaction/') ? interaction(ctx) : next();
});

server.on('request', provider.callback());
console.log(JSON.stringify({ issuer, secret, privateKey, api }));
process.stdin.on('end', () => process.exit(0)).resume();
