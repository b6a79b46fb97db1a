import OpenAI from 'openai';

export async function main(req, res) {
  const client = new OpenAI({ apiKey: 'key', baseURL: `${req.body.url}/v1`, maxRetries: 0 });
  const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
  res.send({ text: answer.choices[0].message.content });
}
