import Stripe from 'stripe';

export async function main(req, res) {
  const { hostname, port } = new URL(req.body.url);
  const stripe = new Stripe('sk_test', { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
  const customer = await stripe.customers.retrieve('cus_1');
  res.send({ id: customer.id });
}
