import { marked } from 'marked';

export async function main(req, res) {
  res.send({ html: await marked.parse('# Title\n\n- *one*') });
}
