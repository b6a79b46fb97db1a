import { number, object, string } from 'yup';

export async function main(req, res) {
  const schema = object({ name: string().required(), age: number().positive() });
  const fault = await schema.validate({ age: -1 }, { abortEarly: false }).catch(error => error.errors.length);
  res.send({ value: await schema.validate({ name: 'a', age: '3' }), faults: fault });
}
