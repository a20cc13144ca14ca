// Finished thumbnails as pictures: bytes become blob URLs, which live until the job is forgotten.

import { element } from './dom.js';
import { bytes } from './words.js';

const urls = new Map();

/** The previews of a succeeded thumbnail job, smallest first; empty for anything else. */
export function previewsOf(job) {
  if (job.kind !== 'thumbnail' || job.state !== 'succeeded' || !Array.isArray(job.output?.previews)) return [];
  if (!urls.has(job.id)) urls.set(job.id, job.output.previews.map(toPreview).sort((a, b) => a.width - b.width));
  return urls.get(job.id);
}

export function releasePreviews(job) {
  for (const { url } of urls.get(job.id) ?? []) URL.revokeObjectURL(url);
  urls.delete(job.id);
}

/** One figure per preview; each is a link that saves the picture. */
export function previewFigures(job) {
  const name = (job.label ?? job.id).replace(/\.[a-z]{3,4}$/i, '');
  return previewsOf(job).map(({ url, width, height, size, extension }) => {
    const alt = `Thumbnail of ${job.label ?? 'the picture'}, ${width} pixels wide`;
    const link = element('a', { href: url, download: `${name}-${width}.${extension}`, title: 'Save this thumbnail' },
      element('img', { src: url, alt, width, height }));
    return element('figure', { className: 'preview' }, link,
      element('figcaption', {}, element('strong', {}, `${width} × ${height}`), ` ${bytes(size)}`));
  });
}

function toPreview({ width, height, contentType, bytes: content }) {
  const blob = new Blob([content], { type: contentType });
  return { url: URL.createObjectURL(blob), width, height, size: blob.size, extension: contentType.split('/')[1] ?? 'img' };
}
