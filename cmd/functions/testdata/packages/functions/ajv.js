import Ajv from 'ajv';

export async function main(req, res) {
  const check = new Ajv().compile({ type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] });
  res.send({ good: check({ a: 1 }), bad: check({ a: 'x' }), fault: check.errors[0].message });
}
