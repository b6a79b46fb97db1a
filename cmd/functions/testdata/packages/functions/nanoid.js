import { customAlphabet, nanoid } from 'nanoid';

export async function main(req, res) {
  res.send({ length: nanoid().length, differ: nanoid() !== nanoid(), digits: /^[0-9]{6}$/.test(customAlphabet('0123456789', 6)()) });
}
