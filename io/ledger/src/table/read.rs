//! Reading a table. Nothing in the file is believed: what does not fit is an error, never a panic.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::serialized_reader::SerializedPageReader;
use twox_hash::XxHash64;

use crate::table::column::{Numbers, Texts};
use crate::table::rle;
use crate::words::Words;

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// The file cannot be read just now.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// The file is not what was written.
    #[error("not a file of this ledger: {0}")]
    Broken(String),
}

/// An open table.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    octets: u64,
    meta: Arc<ParquetMetaData>,
}

/// A column's octets may not be more than this: foreign lengths are not believed.
const CHUNK_OCTETS_MAX: u64 = 1 << 30;
/// A part has fewer rows.
const ROWS_MAX: i64 = 1 << 28;

impl Table {
    /// Opens a table; `meta` is its footer if it was read before.
    pub(crate) fn open(
        path: &Path,
        meta: Option<Arc<ParquetMetaData>>,
    ) -> Result<Self, TableError> {
        let file = File::open(path)?;
        let octets = file.metadata()?.len();
        let meta = match meta {
            Some(meta) => meta,
            None => Arc::new(ParquetMetaDataReader::new().parse_and_finish(&file).map_err(broken)?),
        };
        let [group] = meta.row_groups() else { return Err(odd("not one row group")) };
        if !(0..ROWS_MAX).contains(&group.num_rows()) {
            return Err(odd("an impossible number of rows"));
        }
        Ok(Self { file, octets, meta })
    }

    /// The footer, for the next time.
    pub(crate) fn meta(&self) -> Arc<ParquetMetaData> {
        Arc::clone(&self.meta)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        let rows = self.meta.row_groups().first().map_or(0, |group| group.num_rows());
        usize::try_from(rows).unwrap_or(0)
    }

    /// The texts of a column. Pages for which `is_wanted` says no are left out: their rows have none.
    pub(crate) fn texts(
        &self,
        column: &str,
        is_wanted: impl Fn(Range<usize>) -> bool,
    ) -> Result<Texts, TableError> {
        let mut texts = Texts { words: Vec::new(), rows: Vec::with_capacity(self.rows()) };
        self.pages(column, Type::BYTE_ARRAY, is_wanted, |piece| match piece {
            Piece::Missing(rows) => {
                texts.rows.resize(texts.rows.len() + rows, Texts::NONE);
                Some(())
            }
            Piece::Dictionary(octets, n) => byte_arrays(&octets, n, &mut texts.words),
            Piece::Indices { there, indices, words } => {
                let mut indices = indices.into_iter();
                for is_there in there {
                    let word = if is_there { indices.next()? } else { Texts::NONE };
                    if is_there && word as usize >= words {
                        return None;
                    }
                    texts.rows.push(word);
                }
                Some(())
            }
            Piece::Plain { there, octets } => {
                let mut next = u32::try_from(texts.words.len()).ok()?;
                let n = there.iter().filter(|is_there| **is_there).count();
                byte_arrays(&octets, n, &mut texts.words)?;
                for is_there in there {
                    texts.rows.push(if is_there { next } else { Texts::NONE });
                    next += u32::from(is_there);
                }
                Some(())
            }
        })?;
        if texts.words.iter().any(|word| str::from_utf8(word).is_err()) {
            return Err(odd("a text that is not UTF-8"));
        }
        Ok(texts)
    }

    /// In which rows of a column `words` stand. Rows of pages for which `is_wanted` says no have
    /// none, and nothing stands where there is no text, if it is not nothing that is looked for.
    pub(crate) fn words(
        &self,
        column: &str,
        words: Words<'_>,
        is_wanted: impl Fn(Range<usize>) -> bool,
    ) -> Result<Vec<bool>, TableError> {
        let mut rows: Vec<bool> = Vec::with_capacity(self.rows());
        let mut dictionary = Vec::new();
        self.pages(column, Type::BYTE_ARRAY, is_wanted, |piece| match piece {
            Piece::Missing(n) => {
                rows.resize(rows.len() + n, words.is_empty());
                Some(())
            }
            Piece::Dictionary(octets, n) => {
                each_text(&octets, n, |text, _| dictionary.push(words.stand_in(text)))
            }
            Piece::Indices { there, indices, .. } => {
                let mut indices = indices.into_iter();
                for is_there in there {
                    rows.push(match is_there {
                        true => *dictionary.get(indices.next()? as usize)?,
                        false => words.is_empty(),
                    });
                }
                Some(())
            }
            // Mostly they stand nowhere in a page, which is seen without looking where texts end.
            Piece::Plain { there, octets } if !words.stand_in(&octets) => {
                rows.resize(rows.len() + there.len(), false);
                Some(())
            }
            Piece::Plain { there, octets } => {
                let n = there.iter().filter(|is_there| **is_there).count();
                let mut has = Vec::with_capacity(n);
                each_text(&octets, n, |text, _| has.push(words.stand_in(text)))?;
                let mut has = has.into_iter();
                for is_there in there {
                    rows.push(if is_there { has.next()? } else { words.is_empty() });
                }
                Some(())
            }
        })?;
        Ok(rows)
    }

    /// The numbers of a column, as [`Self::texts`].
    pub(crate) fn numbers(
        &self,
        column: &str,
        is_wanted: impl Fn(Range<usize>) -> bool,
    ) -> Result<Numbers, TableError> {
        let mut dictionary = Vec::new();
        let mut rows = Vec::with_capacity(self.rows());
        self.pages(column, Type::INT64, is_wanted, |piece| match piece {
            Piece::Missing(n) => {
                rows.resize(rows.len() + n, None);
                Some(())
            }
            Piece::Dictionary(octets, n) => {
                dictionary = octets.chunks_exact(8).take(n).map(number).collect();
                (dictionary.len() == n).then_some(())
            }
            Piece::Indices { there, indices, .. } => {
                let mut indices = indices.into_iter();
                for is_there in there {
                    rows.push(match is_there {
                        true => Some(*dictionary.get(indices.next()? as usize)?),
                        false => None,
                    });
                }
                Some(())
            }
            Piece::Plain { there, octets } => {
                let mut numbers = octets.chunks_exact(8).map(number);
                for is_there in there {
                    rows.push(if is_there { Some(numbers.next()?) } else { None });
                }
                Some(())
            }
        })?;
        Ok(Numbers { rows })
    }

    /// Whether `text` may be in a column, by its Bloom filter; yes when it has none.
    pub(crate) fn may_have(&self, column: &str, text: &str) -> Result<bool, TableError> {
        let Some(chunk) = self.chunk(column) else { return Ok(false) };
        let (Some(offset), Some(length)) =
            (chunk.bloom_filter_offset(), chunk.bloom_filter_length())
        else {
            return Ok(true);
        };
        let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
            return Ok(true);
        };
        // A Thrift header of unknown length stands in front of blocks of 32 octets; their number is
        // a power of two, so that the header is what is left over.
        let blocks = length / 32;
        if blocks == 0 || !blocks.is_power_of_two() {
            return Ok(true);
        }
        let header = length - blocks * 32;
        let hash = XxHash64::oneshot(0, text.as_bytes());
        let block = ((hash >> 32).saturating_mul(blocks)) >> 32;
        let at = offset.saturating_add(header).saturating_add(block * 32);
        if at.saturating_add(32) > self.octets {
            return Err(odd("a Bloom filter that is not there"));
        }
        let mut octets = [0; 32];
        self.file.read_exact_at(&mut octets, at)?;
        let filter = parquet::bloom_filter::Sbbf::new(&octets);
        Ok(filter.check(text.as_bytes()))
    }

    fn chunk(&self, column: &str) -> Option<&ColumnChunkMetaData> {
        let group = self.meta.row_groups().first()?;
        group.columns().iter().find(|chunk| chunk.column_path().string() == column)
    }

    /// Goes through a column's pages.
    fn pages(
        &self,
        column: &str,
        of: Type,
        is_wanted: impl Fn(Range<usize>) -> bool,
        mut take: impl FnMut(Piece) -> Option<()>,
    ) -> Result<(), TableError> {
        let chunk = self.chunk(column).ok_or_else(|| odd("a column is missing"))?;
        let descr = chunk.column_descr();
        if chunk.column_type() != of || descr.max_def_level() != 1 || descr.max_rep_level() != 0 {
            return Err(odd("a column of another form"));
        }
        let (octets, chunk) = self.slice(chunk)?;
        let mut pages = SerializedPageReader::new(Arc::new(octets), &chunk, self.rows(), None)
            .map_err(broken)?;
        let (mut row, mut words) = (0_usize, 0);
        while let Some(next) = pages.peek_next_page().map_err(broken)? {
            if !next.is_dict {
                let rows = next.num_levels.or(next.num_rows).ok_or_else(|| odd("an odd page"))?;
                let range = row..row.saturating_add(rows);
                if range.end > self.rows() {
                    return Err(odd("more rows than were promised"));
                }
                row = range.end;
                if !is_wanted(range) {
                    pages.skip_next_page().map_err(broken)?;
                    take(Piece::Missing(rows)).ok_or_else(|| odd("an odd page"))?;
                    continue;
                }
            }
            let Some(page) = pages.get_next_page().map_err(broken)? else { break };
            let piece = piece(page, words, self.rows()).ok_or_else(|| odd("an odd page"))?;
            if let Piece::Dictionary(_, n) = &piece {
                words = *n;
            }
            take(piece).ok_or_else(|| odd("a page that does not hold what it says"))?;
        }
        if row == self.rows() { Ok(()) } else { Err(odd("fewer rows than were promised")) }
    }

    /// A column's octets, and where in them its pages are.
    fn slice(
        &self,
        chunk: &ColumnChunkMetaData,
    ) -> Result<(Bytes, ColumnChunkMetaData), TableError> {
        let gone = || odd("a column that is not there");
        let inside = |n: i64| u64::try_from(n).ok().filter(|n| *n <= self.octets).ok_or_else(gone);
        let length = inside(chunk.compressed_size())?;
        let pages = inside(chunk.data_page_offset())?;
        let dictionary = chunk.dictionary_page_offset().map(inside).transpose()?;
        let start = dictionary.unwrap_or(pages);
        if length > CHUNK_OCTETS_MAX || pages < start || start + length > self.octets {
            return Err(gone());
        }
        let mut octets = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact_at(&mut octets, start)?;
        let moved = chunk
            .clone()
            .into_builder()
            .set_data_page_offset((pages - start).cast_signed())
            .set_dictionary_page_offset(dictionary.map(|_| 0))
            .build()
            .map_err(broken)?;
        Ok((Bytes::from(octets), moved))
    }
}

/// A page, taken apart.
enum Piece {
    /// So many rows were left out.
    Missing(usize),
    /// So many words in plain encoding.
    Dictionary(Bytes, usize),
    /// Rows that say which of so many words they have.
    Indices { there: Vec<bool>, indices: Vec<u32>, words: usize },
    /// Rows with values of their own.
    Plain { there: Vec<bool>, octets: Bytes },
}

/// Takes a page apart; nothing when it is odd.
fn piece(page: Page, words: usize, rows_max: usize) -> Option<Piece> {
    let (buf, rows, encoding, levels) = match page {
        Page::DictionaryPage { buf, num_values, .. } => {
            let words = usize::try_from(num_values).ok()?;
            return (words <= rows_max).then_some(Piece::Dictionary(buf, words));
        }
        Page::DataPage { buf, num_values, encoding, .. } => {
            let (length, _) = buf.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let levels = 4..length.checked_add(4)?;
            (buf, num_values, encoding, levels)
        }
        Page::DataPageV2 { .. } => return None,
    };
    let rows = usize::try_from(rows).ok()?;
    if rows > rows_max || levels.end > buf.len() {
        return None;
    }
    let mut there = Vec::with_capacity(rows);
    rle::runs(&buf[levels.clone()], 1, rows, |level, n| there.resize(there.len() + n, level == 1))?;
    let octets = buf.slice(levels.end..);
    match encoding {
        Encoding::PLAIN => Some(Piece::Plain { there, octets }),
        Encoding::RLE_DICTIONARY => {
            let n = there.iter().filter(|is_there| **is_there).count();
            let mut indices = Vec::with_capacity(n);
            if let Some((width, packed)) = octets.split_first() {
                let tell = |word, n| indices.resize(indices.len() + n, word);
                rle::runs(packed, *width, n, tell)?;
            }
            Some(Piece::Indices { there, indices, words })
        }
        _ => None,
    }
}

/// Reads `n` texts, each with its length in front.
fn byte_arrays(octets: &Bytes, n: usize, out: &mut Vec<Bytes>) -> Option<()> {
    out.reserve(n);
    each_text(octets, n, |_, range| out.push(octets.slice(range)))
}

/// Goes through `n` texts, each with its length in front; tells where each lies, too.
fn each_text(octets: &[u8], n: usize, mut tell: impl FnMut(&[u8], Range<usize>)) -> Option<()> {
    let mut at = 0_usize;
    for _ in 0..n {
        let head = octets.get(at..at.checked_add(4)?)?;
        let length = usize::try_from(u32::from_le_bytes(head.try_into().ok()?)).ok()?;
        let end = at.checked_add(4)?.checked_add(length)?;
        tell(octets.get(at + 4..end)?, at + 4..end);
        at = end;
    }
    Some(())
}

fn number(octets: &[u8]) -> u64 {
    octets.try_into().map(u64::from_le_bytes).unwrap_or_default()
}

fn broken(error: ParquetError) -> TableError {
    TableError::Broken(error.to_string())
}

fn odd(what: &str) -> TableError {
    TableError::Broken(what.to_owned())
}
