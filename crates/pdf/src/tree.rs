//! The walk through the page tree.
//!
//! Pages are counted one by one; `/Count` is compared and never trusted. Every inner node is
//! entered once, so that cycles and shared branches end; a page that is listed twice counts twice,
//! as in poppler, PDFium and qpdf. The walk keeps its own stack, so that a deep tree is no danger.

use std::collections::HashSet;

use mediaprep_media::{Limits, Warning, WarningCode};

use crate::boxes::{Attributes, Rectangle};
use crate::failure::Failure;
use crate::info::{PageRun, PageSize};
use crate::objects::Objects;
use crate::syntax::Value;

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) runs: Vec<PageRun>,
    /// How many pages there are.
    pub(crate) count: u64,
    /// How many the top of the tree says there are.
    pub(crate) stated: Option<i64>,
    /// Pages whose boxes are missing or of no use.
    without_box: u64,
    /// Entries of the tree that are no page.
    strangers: u64,
    /// Branches that were met before.
    repeated: u64,
}

/// A branch that is being walked: its children still to come, the next one last.
struct Branch {
    children: Vec<Value>,
    attributes: Attributes,
}

/// What an entry of the tree is.
enum Node {
    Branch(Branch),
    Page { size: PageSize, odd: bool },
    Stranger,
}

/// Where the walk is: what it tells those who want more than sizes.
pub(crate) enum Step {
    /// This entry is a branch; its children follow.
    Enter(Value),
    /// This entry is a page.
    Page(Value),
    /// The branch entered last is through; once more than entered, for the tree as a whole.
    Leave,
}

/// Walks the tree under the catalog `root`.
pub(crate) fn walk(
    objects: &mut Objects<'_>,
    root: &Value,
    limits: &Limits,
) -> Result<Pages, Failure> {
    walk_with(objects, root, limits, &mut |_, _| Ok(()))
}

/// The same, with every step told to `visit`.
pub(crate) fn walk_with(
    objects: &mut Objects<'_>,
    root: &Value,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut Objects<'_>, Step) -> Result<(), Failure>,
) -> Result<Pages, Failure> {
    let Value::Dictionary(catalog) = objects.resolve(root.clone())? else {
        return Err(Failure::damaged(0, "the document has no catalog"));
    };
    let [top] = catalog.get(["Pages"]);
    let mut pages = Pages::default();
    let mut lone_page = false;
    if let Value::Dictionary(node) = objects.resolve(top.clone())? {
        let [count, kind] = node.get(["Count", "Type"]);
        pages.stated = objects.resolve(count)?.integer();
        lone_page = kind.is_name(b"Page");
    }
    let mut entered = HashSet::new();
    let root = Branch { children: vec![top], attributes: Attributes::default() };
    let mut held = root.held();
    let mut stack = vec![root];
    while let Some(branch) = stack.last_mut() {
        let Some(child) = branch.children.pop() else {
            held -= branch.held();
            stack.pop();
            visit(objects, Step::Leave)?;
            continue;
        };
        let attributes = branch.attributes;
        let reference = if let Value::Reference(number) = child { Some(number) } else { None };
        match Node::read(objects, child.clone(), attributes)? {
            Node::Branch(_) if reference.is_some_and(|number| !entered.insert(number)) => {
                pages.repeated += 1;
            }
            Node::Branch(branch) => {
                held += branch.held();
                objects.bytes.check_held(held)?;
                stack.push(branch);
                visit(objects, Step::Enter(child))?;
            }
            // A top without children is an empty tree, unless it says that it is a page.
            Node::Page { .. } if stack.len() == 1 && !lone_page => {}
            Node::Page { size, odd } => {
                pages.add(size, odd);
                limits.check_pages(pages.count)?;
                visit(objects, Step::Page(child))?;
            }
            Node::Stranger => pages.strangers += 1,
        }
    }
    if pages.count == 0 {
        return Err(Failure::damaged(0, "the document has no pages"));
    }
    Ok(pages)
}

impl Branch {
    /// Bytes in memory, roughly: what was allocated, which does not shrink.
    fn held(&self) -> u64 {
        (self.children.capacity() * size_of::<Value>()) as u64
    }
}

impl Node {
    /// Reads an entry of the tree. What has children is a branch and everything else a page,
    /// whatever its `/Type`, as in poppler and PDFium.
    fn read(
        objects: &mut Objects<'_>,
        value: Value,
        inherited: Attributes,
    ) -> Result<Self, Failure> {
        // Objects that are fetched are counted there.
        objects.bytes.charge_object(value.length())?;
        let Value::Dictionary(node) = objects.resolve(value)? else { return Ok(Self::Stranger) };
        let keys = ["Kids", "MediaBox", "CropBox", "Rotate", "UserUnit"];
        let [kids, media, crop, rotate, unit] = node.get(keys);
        let attributes = Attributes {
            media: rectangle(objects, media)?.or(inherited.media),
            crop: rectangle(objects, crop)?.or(inherited.crop),
            rotate: objects.resolve(rotate)?.integer().unwrap_or(inherited.rotate),
        };
        if kids.is_null() {
            let unit = objects.resolve(unit)?.thousandths();
            let unit = unit.and_then(|unit| u32::try_from(unit).ok()).filter(|unit| *unit > 0);
            let (size, odd) = attributes.size(unit.unwrap_or(1000));
            return Ok(Self::Page { size, odd });
        }
        let kids = objects.resolve(kids)?;
        if !matches!(kids, Value::Array(_)) {
            let reason = "a branch of the page tree has no list of children";
            return if objects.lenient {
                Ok(Self::Stranger)
            } else {
                Err(Failure::damaged(0, reason))
            };
        }
        let mut children = kids.items(usize::MAX);
        children.reverse();
        Ok(Self::Branch(Branch { children, attributes }))
    }
}

/// Four numbers, each of which may be an object of its own.
fn rectangle(objects: &mut Objects<'_>, value: Value) -> Result<Option<Rectangle>, Failure> {
    let mut corners = [0; 4];
    let items = objects.resolve(value)?.items(corners.len());
    if items.len() < corners.len() {
        return Ok(None);
    }
    for (corner, item) in corners.iter_mut().zip(items) {
        let Some(number) = objects.resolve(item)?.thousandths() else { return Ok(None) };
        *corner = number;
    }
    Ok(Some(Rectangle::new(corners)))
}

impl Pages {
    fn add(&mut self, size: PageSize, odd: bool) {
        self.count += 1;
        self.without_box += u64::from(odd);
        match self.runs.last_mut() {
            Some(run) if run.size == size => run.pages += 1,
            _ => self.runs.push(PageRun { size, pages: 1 }),
        }
    }

    /// Whether the document says that it has this many pages.
    pub(crate) fn states(&self, count: u64) -> bool {
        self.stated.and_then(|stated| u64::try_from(stated).ok()) == Some(count)
    }

    /// Whether pages are missing that another way of reading might find.
    pub(crate) fn lacks_pages(&self) -> bool {
        self.strangers > 0 && !self.states(self.count)
    }

    /// What was noticed on the way.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |count: u64, message: &str| {
            if count > 0 {
                let message = format!("{message}: {count}");
                warnings.push(Warning::new(WarningCode::Damaged, message));
            }
        };
        warn(self.without_box, "pages without a usable box, taken for Letter or their MediaBox");
        warn(self.strangers, "entries of the page tree that are no pages");
        warn(self.repeated, "branches of the page tree that repeat others");
        if let Some(stated) = self.stated
            && !self.states(self.count)
        {
            let message = format!("the document states {stated} pages and has {}", self.count);
            warnings.push(Warning::new(WarningCode::Damaged, message));
        }
        warnings
    }
}
