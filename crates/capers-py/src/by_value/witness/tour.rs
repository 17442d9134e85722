//! The way from a class to all that its bytes depend on, and the questions that are asked there: those of the dumper.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyTuple, PyType};

use super::super::function::{names_of, own_builtins, submodules};
use super::super::{Fill, Part, changes, class, function, keywords, module, odd, settled};
use super::{Companion, Object, Step, Stop, same};
use crate::choices::Reducer;
use crate::ffi::access::{cell_content, dict_get, dict_next, list_item, references, set_items, tuple_item};
use crate::ffi::class::{each_entry, qualname};
use crate::ffi::code::get_extra;
use crate::ffi::function::{FunctionView, function_view};
use crate::ffi::kind::{Kind, is_plain_type, kind};
use crate::policy::{self, Reference};
use crate::state::State;

/// How deep containers that a reduction made may be nested.
const MAX_FRESH: usize = 8;

/// The way from a class to all that its bytes depend on.
pub(super) struct Tour<'py, C> {
    pub(super) py: Python<'py>,
    pub(super) state: &'static State,
    pub(super) protocol: u8,
    /// What is registered to reduce objects, in the whole process.
    pub(super) reducers: Vec<Reducer>,
    pub(super) companion: C,
}

impl<'py, C: Companion<'py>> Tour<'py, C> {
    pub(super) fn run(&mut self, class: &Object<'py>) -> Step {
        self.companion.object(class.clone())?;
        while let Some(object) = self.companion.next() {
            self.look(&object)?;
        }
        Ok(())
    }

    fn look(&mut self, object: &Object<'py>) -> Step {
        let kind = kind(object);
        self.companion.number(kind as i64)?;
        if !self.reducers.is_empty() {
            self.unreduced(kind, object)?;
        }
        match kind {
            Kind::Function => match function_view(object) {
                Some(view) => self.function(object, &view),
                None => Err(Stop::Differs),
            },
            Kind::Type => self.class(object.cast()?),
            Kind::Cell => self.undispatched(object).and_then(|()| self.companion.maybe(cell_content(object)?)),
            Kind::Tuple => {
                let tuple = object.cast::<PyTuple>()?;
                self.companion.number(tuple.len() as i64)?;
                (0..).map_while(|at| tuple_item(tuple, at)).try_for_each(|item| self.companion.object(item))
            }
            Kind::List => {
                let list = object.cast::<PyList>()?;
                self.companion.number(list.len() as i64)?;
                (0..).map_while(|at| list_item(list, at)).try_for_each(|item| self.companion.object(item))
            }
            Kind::Dict => {
                let dict = object.cast::<PyDict>()?;
                self.companion.number(dict.len() as i64)?;
                let mut position = 0;
                while let Some((key, value)) = dict_next(dict, &mut position) {
                    self.companion.object(key)?;
                    self.companion.object(value)?;
                }
                Ok(())
            }
            Kind::Set | Kind::FrozenSet => {
                let items = set_items(object)?;
                self.companion.number(items.len() as i64)?;
                items.into_iter().try_for_each(|item| self.companion.object(item))
            }
            Kind::Module => {
                self.undispatched(object)?;
                match module::import_name(object.cast::<PyModule>()?)? {
                    Some(name) => self.companion.text(&name),
                    None => Err(Stop::Differs),
                }
            }
            Kind::BuiltinFunction => self.builtin(object),
            Kind::Method | Kind::Other => self.other(kind, object),
            Kind::Str | Kind::Int | Kind::Float | Kind::None | Kind::Bool | Kind::Bytes => Ok(()),
            Kind::ByteArray | Kind::Code => Err(Stop::Differs),
        }
    }

    /// The name that an object travels by; a code of the extension registry would take its place.
    fn reference(&mut self, reference: &Reference<'py>) -> Step {
        self.uncoded(reference)?;
        self.companion.reference(reference)
    }

    fn uncoded(&self, reference: &Reference<'py>) -> Step {
        let registry = self.state.extension_registry.bind(self.py);
        same(registry.is_empty() || !registry.contains((&reference.module, &reference.name))?)
    }

    /// No reducer that is registered has a say about an object.
    #[cold]
    fn unreduced(&self, kind: Kind, object: &Object<'py>) -> Step {
        if matches!(kind, Kind::Tuple | Kind::List | Kind::Dict | Kind::Set | Kind::FrozenSet) {
            return Ok(());
        }
        let mro = object.get_type().mro();
        same(!mro.iter().any(|base| self.reducers.iter().any(|(class, _)| base.is(class))))
    }

    /// Nothing that is asked before the rules has a say about objects of this type.
    fn undispatched(&mut self, object: &Object<'py>) -> Step {
        same(!self.state.dispatch_table.bind(self.py).contains(object.get_type())?)
    }

    fn class(&mut self, class: &Bound<'py, PyType>) -> Step {
        if !is_plain_type(class) {
            self.undispatched(class)?;
        }
        if let Some(reference) = class::reference(class)? {
            self.companion.number(1)?;
            return self.reference(&reference);
        }
        match odd::reduce(self.py, Kind::Type, class)? {
            None => {}
            Some(odd::Travel::Reference(reference)) => {
                self.companion.number(2)?;
                return self.reference(&reference);
            }
            Some(_) => return Err(Stop::Differs),
        }
        if C::TAKES && !class::is_python_class(class)? {
            return Err(Stop::Differs);
        }
        self.companion.number(0)?;
        self.companion.object(class.getattr(intern!(self.py, "__name__"))?)?;
        self.companion.object(qualname(class)?.into_any())?;
        self.companion.object(class.get_type().into_any())?;
        let bases = class.getattr(intern!(self.py, "__bases__"))?.cast_into::<PyTuple>()?;
        self.companion.number(bases.len() as i64)?;
        bases.iter().try_for_each(|base| self.companion.object(base))?;
        let members = class::members(class)?;
        each_entry(class, |name, value| {
            self.companion.object(name.clone())?;
            self.companion.entry(value, |value| class::entry(class, members.as_ref(), name, value))
        })?;
        for fill in class::fills(class, members.as_ref())? {
            self.fill(&fill)?;
        }
        self.hooks(class)?;
        self.received(class)
    }

    /// The hooks that decide which keywords of the class statement travel.
    fn hooks(&mut self, class: &Bound<'py, PyType>) -> Step {
        let hooks = keywords::hooks(class)?;
        self.companion.number(hooks.len() as i64)?;
        for hook in hooks {
            self.companion.number(i64::from(hook.foreign))?;
            let Some(view) = function_view(&hook.function) else { return Err(Stop::Differs) };
            self.companion.constant(&view.code)?;
            self.companion.maybe(view.defaults.map(Bound::into_any))?;
            self.companion.maybe(view.kwdefaults)?;
        }
        Ok(())
    }

    /// What payloads have changed of a class that is at home elsewhere.
    fn received(&mut self, class: &Bound<'py, PyType>) -> Step {
        let Some(changes) = changes::received(class)? else { return self.companion.nothing() };
        self.companion.number(changes.len() as i64)?;
        for (name, number) in changes {
            self.companion.text(&name)?;
            self.companion.number(number)?;
        }
        Ok(())
    }

    fn function(&mut self, function: &Object<'py>, view: &FunctionView<'py>) -> Step {
        if let Some(reference) = function::reference(function, view.module.as_ref(), &view.qualname, &view.globals)? {
            self.companion.number(1)?;
            return self.reference(&reference);
        }
        let dispatcher = self.state.known.singledispatch.as_ref();
        let Some(info) = get_extra(&view.code) else { return Err(Stop::Differs) };
        if !info.odd.is_empty() || dispatcher.is_some_and(|code| view.code.is(code)) {
            return Err(Stop::Differs);
        }
        let is_set = |it: &Option<Object<'py>>| it.as_ref().is_some_and(|it| !it.is_none());
        if is_set(&view.annotate) && is_set(&view.annotations) {
            // Which of the two travels is found out by asking.
            return Err(Stop::Differs);
        }
        self.companion.number(0)?;
        for field in [&view.code, &view.name, &view.qualname] {
            self.companion.object(field.clone())?;
        }
        self.companion.maybe(view.defaults.clone().map(Bound::into_any))?;
        self.companion.maybe(view.dict.clone().map(Bound::into_any))?;
        let fields = [&view.module, &view.doc, &view.kwdefaults, &view.annotations, &view.annotate, &view.type_params];
        for field in fields {
            self.companion.maybe(field.clone())?;
        }
        let mut imports = Vec::new();
        for cell in view.closure.iter().flat_map(pyo3::types::PyTupleMethods::iter) {
            if let Some(content) = cell_content(&cell)?.filter(|it| kind(it) == Kind::Module) {
                submodules(self.py, &content, &info, &mut imports)?;
            }
            self.companion.object(cell)?;
        }
        self.companion.space(&view.globals)?;
        // Submodules are noted beside the code.
        let code = view.code.as_ptr() as usize;
        self.companion.uses(code);
        self.companion.uses(code + 1);
        if let Some(module) = policy::module_of(&view.globals)? {
            self.companion.number(1)?;
            self.companion.text(&module)?;
        } else {
            self.companion.number(0)?;
            self.companion.maybe(own_builtins(&view.globals)?.map(Bound::into_any))?;
            for name in std::iter::once(intern!(self.py, "__name__")).chain(names_of(self.py, &info)) {
                self.companion.uses(name.as_ptr() as usize);
                let value = dict_get(&view.globals, name.as_any())?.map(settled).transpose()?;
                self.global(name, value.as_ref())?;
                if let Some(value) = value.filter(|it| kind(it) == Kind::Module) {
                    submodules(self.py, &value, &info, &mut imports)?;
                }
            }
        }
        imports.iter().try_for_each(|name| self.companion.text(name))
    }

    /// What a function finds as the global `name`.
    fn global(&mut self, name: &Bound<'py, PyString>, value: Option<&Object<'py>>) -> Step {
        let Some(value) = value else { return self.companion.nothing() };
        match kind(value) {
            Kind::Other => match odd::module_level(name, value)? {
                Some(reference) => {
                    self.companion.number(1)?;
                    self.reference(&reference)
                }
                None => self.companion.object(value.clone()),
            },
            Kind::List | Kind::Dict if odd::of_sys(value)?.is_some() => Err(Stop::Differs),
            _ => self.companion.object(value.clone()),
        }
    }

    /// A built-in function: by name, or else as any other object.
    fn builtin(&mut self, object: &Object<'py>) -> Step {
        let py = self.py;
        self.undispatched(object)?;
        let find = || match odd::reduce(py, Kind::BuiltinFunction, object)? {
            Some(odd::Travel::Reference(reference)) => Ok(Some(reference)),
            Some(_) => Ok(None),
            None => match object.call_method0(intern!(py, "__reduce__"))?.cast_into::<PyString>() {
                Ok(name) => global(object, name).map(Some),
                Err(_) => Ok(None),
            },
        };
        match self.companion.named(py, find)? {
            Some(reference) => {
                self.uncoded(&reference)?;
                let Reference { module, name } = reference;
                let Some(loaded) = policy::loaded(py, module.as_any())? else { return Err(Stop::Differs) };
                same(policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object)))?;
                same(policy::importable(&module, &loaded)?)
            }
            None => self.other(Kind::BuiltinFunction, object),
        }
    }

    fn other(&mut self, kind: Kind, object: &Object<'py>) -> Step {
        let class = object.get_type();
        // A bare object is its identity and nothing else, and these two give their items away one by one.
        let state = self.state;
        if class.is(self.py.get_type::<PyAny>())
            || class.is(&state.ordered_dict)
            || class.is(&state.default_dict)
            || class.is(&state.pickle_buffer)
        {
            return Err(Stop::Differs);
        }
        self.undispatched(object)?;
        self.companion.object(class.into_any())?;
        match odd::reduce(self.py, kind, object)? {
            Some(odd::Travel::Reference(reference)) => {
                self.companion.number(1)?;
                self.reference(&reference)
            }
            Some(odd::Travel::Reduction(reduction)) => {
                self.companion.number(2)?;
                self.companion.number(reduction.make as i64)?;
                self.parts(&reduction.args)?;
                reduction.fills.iter().try_for_each(|fill| self.fill(fill))
            }
            Some(odd::Travel::Reduced(value)) => {
                self.companion.number(3)?;
                self.reduced(object, value)
            }
            Some(_) => Err(Stop::Differs),
            None => {
                let protocol = state.protocols[usize::from(self.protocol)].bind(self.py);
                let Some(value) = odd::own_reduction(object, protocol)? else { return Err(Stop::Differs) };
                self.companion.number(4)?;
                self.reduced(object, value)
            }
        }
    }

    /// The reduction `value` of `object`.
    fn reduced(&mut self, object: &Object<'py>, value: Object<'py>) -> Step {
        if let Ok(name) = value.cast::<PyString>() {
            return self.reference(&global(object, name.clone())?);
        }
        let Ok(value) = value.cast_into_exact::<PyTuple>() else { return Err(Stop::Differs) };
        let part = |at| tuple_item(&value, at).filter(|it| !it.is_none());
        if part(3).is_some() || part(4).is_some() || odd::lost_attributes(object)?.is_some() {
            return Err(Stop::Differs);
        }
        if let Some(state) = part(2)
            && odd::lost_beside_state(object, &state)?.is_some()
        {
            return Err(Stop::Differs);
        }
        self.fresh(value.as_any(), Kind::Tuple, 0)
    }

    /// A container that was made for the occasion.
    fn fresh(&mut self, container: &Object<'py>, kind: Kind, depth: usize) -> Step {
        if depth == MAX_FRESH {
            return Err(Stop::Differs);
        }
        let mut items = Vec::new();
        match kind {
            Kind::Tuple => items.extend(container.cast::<PyTuple>()?.iter()),
            Kind::List => items.extend(container.cast::<PyList>()?.iter()),
            _ => {
                let (dict, mut position) = (container.cast::<PyDict>()?, 0);
                while let Some((key, value)) = dict_next(dict, &mut position) {
                    items.extend([key, value]);
                }
            }
        }
        self.companion.number(-1 - kind as i64)?;
        self.companion.number(items.len() as i64)?;
        // The container holds each, and the list of them here.
        items.into_iter().try_for_each(|item| self.value(item, 2, depth + 1))
    }

    /// A value that so many places hold if it was made for the occasion.
    fn value(&mut self, value: Object<'py>, places: isize, depth: usize) -> Step {
        if references(&value) > places {
            return self.companion.object(value);
        }
        match kind(&value) {
            kind @ (Kind::Tuple | Kind::List | Kind::Dict) => self.fresh(&value, kind, depth),
            Kind::Str | Kind::Int | Kind::Float | Kind::Bytes => self.companion.equal(&value),
            _ => self.companion.object(value),
        }
    }

    fn parts(&mut self, parts: &[Part<'py>]) -> Step {
        self.companion.number(parts.len() as i64)?;
        parts.iter().try_for_each(|part| self.part(part))
    }

    fn part(&mut self, part: &Part<'py>) -> Step {
        match part {
            Part::Object(value) => self.value(value.clone(), 2, 0),
            Part::Text(text) => self.companion.text(text),
            Part::Int(number) => self.companion.number(*number),
            Part::None => self.companion.nothing(),
            Part::Tuple(len) => self.companion.number(*len as i64),
            Part::Entries(entries) => {
                self.companion.number(entries.len() as i64)?;
                for (name, part) in entries {
                    self.companion.text(name)?;
                    self.part(part)?;
                }
                Ok(())
            }
            Part::Code(_) | Part::Marshal(_) | Part::Globals(_) | Part::Cell(_) | Part::Reference(..) => {
                Err(Stop::Differs)
            }
        }
    }

    fn fill(&mut self, fill: &Fill<'py>) -> Step {
        match fill {
            Fill::Call { make, args } => {
                self.companion.number(*make as i64)?;
                self.parts(args)
            }
            Fill::State { of: None, dict, slots } => {
                self.companion.number(dict.len() as i64)?;
                for (key, value) in dict {
                    self.value(key.clone(), 2, 0)?;
                    self.value(value.clone(), 2, 0)?;
                }
                self.companion.number(slots.len() as i64)?;
                for (name, part) in slots {
                    self.companion.text(name)?;
                    self.part(part)?;
                }
                Ok(())
            }
            Fill::State { .. } | Fill::Items { .. } | Fill::Cell { .. } | Fill::Later { .. } => Err(Stop::Differs),
        }
    }
}

/// The reference that an object is which says that it is found under `name`.
fn global<'py>(object: &Object<'py>, name: Bound<'py, PyString>) -> Step<Reference<'py>> {
    let py = object.py();
    let module = object.getattr_opt(intern!(py, "__module__"))?;
    let Some(Ok(module)) = module.map(Bound::cast_into::<PyString>) else { return Err(Stop::Differs) };
    let Some(loaded) = policy::loaded(py, module.as_any())? else { return Err(Stop::Differs) };
    if odd::unnamed(object)?.is_some()
        || !policy::resolve(&loaded, &name)?.is_some_and(|it| it.is(object))
        || !policy::importable(&module, &loaded)?
    {
        return Err(Stop::Differs);
    }
    Ok(Reference { module, name })
}
