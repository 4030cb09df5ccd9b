// Long lists in pages: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api

const USUAL = 30;
const MOST = 100;

/** One page of a list as an answer with its `Link`; `wrap` makes the body of the page. */
export function paginate(url, query, list, wrap = (page) => page) {
  const size = Math.min(MOST, Math.max(1, Number(query.per_page ?? USUAL) || USUAL));
  const page = Math.max(1, Number(query.page ?? 1) || 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const to = (number, rel) => {
    const there = new URL(url);
    there.searchParams.set('page', number);
    return `<${there}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [to(page - 1, 'prev')] : []),
    ...(page < last ? [to(page + 1, 'next'), to(last, 'last')] : []),
    ...(page > 1 ? [to(1, 'first')] : []),
  ];
  const headers = links.length ? { link: links.join(', ') } : {};
  return { body: wrap(list.slice((page - 1) * size, page * size)), headers };
}
