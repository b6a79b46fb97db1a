import Joi from 'joi';

export async function main(req, res) {
  const schema = Joi.object({ mail: Joi.string().email().required(), age: Joi.number().min(18) });
  const { error } = schema.validate({ mail: 'x', age: 20 });
  res.send({ value: schema.validate({ mail: 'a@example.com', age: '20' }).value, fault: error.message });
}
