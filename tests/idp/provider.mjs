// SPDX-License-Identifier: Apache-2.0
// A certified OpenID provider on loopback for the tests: `node provider.mjs '{"clients": [...], "people": {...}}'`.
// Prints `listening URL` when it serves. Everything is in memory; each line on standard input is a command in JSON:
//   {"people": {...}}   replaces the people
// and is answered by `done`.
import dns from 'node:dns';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import readline from 'node:readline';
import Provider from 'oidc-provider';

// No name server knows the hosts of tenants, to which back-channel logouts go.
const lookUp = dns.lookup;
dns.lookup = (host, ...more) => lookUp(host.endsWith('.registry.example') ? '127.0.0.1' : host, ...more);
syncBuiltinESMExports();

const wanted = JSON.parse(process.argv[2]);
let people = wanted.people;

const server = http.createServer();
await new Promise((resolve) => server.listen(wanted.port ?? 0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: wanted.clients,
  cookies: { keys: ['of-a-test'] },
  claims: {
    openid: ['sub', 'sid'],
    profile: ['name', 'preferred_username'],
    email: ['email'],
    groups: ['groups'],
  },
  conformIdTokenClaims: wanted.claimsInUserinfoOnly ?? false,
  // Who is not known cannot log in. The name typed is the subject.
  findAccount: (ctx, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    deviceFlow: { enabled: true },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  ttl: { Session: 3600, Grant: 3600, AccessToken: 600, IdToken: wanted.idTokenSeconds ?? 600, Interaction: 600 },
  renderError: (ctx, out) => {
    ctx.type = 'json';
    ctx.body = out;
  },
});

async function body(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

function page(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'text/html' });
  response.end(`<!doctype html><title>test</title>${text}`);
}

// The pages people see: a form for the name, then consent without being asked.
async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (details.prompt.name === 'login') {
    if (request.method === 'GET') {
      page(response, 200, '<form method="post"><input name="login"></form>');
      return;
    }
    const typed = (await body(request)).get('login');
    if (typed === 'nobody') {
      await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'end-user said no' });
      return;
    }
    await provider.interactionFinished(request, response, { login: { accountId: typed } }, { mergeWithLastSubmission: false });
    return;
  }
  const grant = details.grantId
    ? await provider.Grant.find(details.grantId)
    : new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    callback(request, response);
    return;
  }
  interact(request, response).catch((error) => page(response, 500, String(error)));
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  people = JSON.parse(line).people ?? people;
  console.log('done');
}).on('close', () => process.exit(0));

console.log(`listening ${issuer}`);
