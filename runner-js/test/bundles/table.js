'use strict';

// Functions with libraries of npm, as people write them before a bundler puts them together: [{ name, code, want }].
// want is the body of the answer to GET /a/5.

module.exports = [
  ['hono', `
    import { Hono } from 'hono';
    const app = new Hono();
    app.use(async (c, next) => { await next(); c.header('x-by', 'hono'); });
    app.get('/a/:id', c => c.json({ id: c.req.param('id'), host: new URL(c.req.url).host }));
    export default app;`, { id: '5', host: 'x.example' }],
  ['itty-router', `
    import { AutoRouter } from 'itty-router';
    const router = AutoRouter();
    router.get('/a/:id', ({ params }) => params);
    export default router;`, { id: '5' }],
  ['jose', `
    import * as jose from 'jose';
    export default async function () {
      const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
      const token = await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().sign(secret);
      const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
      const other = await new jose.SignJWT({ b: 2 }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
      const key = await jose.importJWK(await jose.exportJWK(publicKey), 'ES256');
      const forged = await jose.jwtVerify(token + 'x', secret).catch(error => error.code);
      return [(await jose.jwtVerify(token, secret)).payload.a, (await jose.jwtVerify(other, key)).payload.b, forged];
    }`, [1, 2, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED']],
  ['zod', `
    import { z } from 'zod';
    const schema = z.object({ a: z.number(), b: z.string().email().optional(), c: z.array(z.union([z.string(), z.boolean()])) });
    export default (req, res) => res.send([schema.parse({ a: 1, c: ['x', true] }), schema.safeParse({ a: 'x' }).success]);`,
  [{ a: 1, c: ['x', true] }, false]],
  ['openai', `
    import OpenAI from 'openai';
    const pieces = ['he', 'llo'].map(content => 'data: ' + JSON.stringify({ choices: [{ delta: { content } }] }) + '\\n\\n').join('');
    async function fetch(url, init) {
      if (!JSON.parse(init.body).stream) return Response.json({ choices: [{ message: { content: new Headers(init.headers).get('authorization') } }] });
      return new Response(pieces + 'data: [DONE]\\n\\n', { headers: { 'content-type': 'text/event-stream' } });
    }
    export default async () => {
      const client = new OpenAI({ apiKey: 'key', fetch });
      const whole = await client.chat.completions.create({ model: 'm', messages: [] });
      let text = '';
      for await (const part of await client.chat.completions.create({ model: 'm', messages: [], stream: true })) text += part.choices[0].delta.content;
      return [whole.choices[0].message.content, text];
    };`, ['Bearer key', 'hello']],
  ['stripe', `
    import Stripe from 'stripe';
    const stripe = new Stripe('sk_test');
    export default async () => {
      const payload = JSON.stringify({ id: 'evt_1', object: 'event' });
      const header = stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_test' });
      const check = text => { try { return stripe.webhooks.constructEvent(text, header, 'whsec_test').id; } catch (error) { return error.type; } };
      return [check(payload), check(payload + ' ')];
    };`, ['evt_1', 'StripeSignatureVerificationError']],
  ['pg', `
    import pg from 'pg';
    export default async () => [typeof pg.Client, pg.types.getTypeParser(1184)('2024-01-02 03:04:05+00').toISOString(), pg.escapeIdentifier('a"b')];`,
  ['function', '2024-01-02T03:04:05.000Z', '"a""b"']],
  ['pg-protocol', `
    import { parse, serialize } from 'pg-protocol';
    import { Readable } from 'node:stream';
    const row = [0x44, 0, 0, 0, 12, 0, 1, 0, 0, 0, 2, 0x34, 0x32];
    const ready = [0x5a, 0, 0, 0, 5, 0x49];
    export default async () => {
      const seen = [];
      await parse(Readable.from([Buffer.from(row), Buffer.from(ready)]), message => seen.push([message.name, message.fields]));
      return [seen, serialize.query('select 1').length];
    };`, [[['dataRow', ['42']], ['readyForQuery', null]], 14]],
  ['@aws-sdk/client-s3', `
    import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';
    const requestHandler = { handle: async ({ headers }) => { throw Object.assign(new Error('no network'), { sent: headers.authorization }); } };
    const client = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's' }, requestHandler, maxAttempts: 1 });
    export default async () => {
      const error = await client.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })).catch(thrown => thrown);
      return [error.message, /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\\/\\d{8}\\/us-east-1\\/s3\\/aws4_request, SignedHeaders=.*, Signature=[0-9a-f]{64}$/.test(error.sent)];
    };`, ['no network', true]],
].map(([name, code, want]) => ({ name, code, want }));
