-- pandoc's filter of what Jupyter's Markdown does not have: boxes, page breaks, diagrams in words, footnotes and citations.
-- The document is a Div a piece of the notebook. What is not defined stays the text that it is.

local KINDS = { caution = true, important = true, note = true, tip = true, warning = true }
local HEADS = { bibliography = true, kilder = true, litteratur = true, referanser = true, references = true }

local function is_paragraph(block)
  return block and (block.t == "Para" or block.t == "Plain")
end

local blocks = { traverse = "topdown" }

-- A quotation that begins with [!NOTE] or the like.
function blocks.BlockQuote(quote)
  local first = quote.content[1]
  local mark = is_paragraph(first) and first.content[1]
  local kind = mark and mark.t == "Str" and mark.text:lower():match("^%[!(%a+)%]$")
  if not KINDS[kind] then return nil end
  local title = kind:gsub("^%l", string.upper)
  local inside = pandoc.Blocks { pandoc.Para { pandoc.Strong(title) } }
  local rest = pandoc.Inlines { table.unpack(first.content, 3) }
  if #rest > 0 then inside:insert(pandoc.Para(rest)) end
  inside:extend { table.unpack(quote.content, 2) }
  return pandoc.Div(inside, pandoc.Attr("", { "alert", kind }))
end

function blocks.CodeBlock(code)
  if not (code.classes[1] or ""):match("mermaid$") then return nil end
  return { pandoc.Para { pandoc.Emph("Diagram, in the words of Mermaid:") }, code }, false
end

function blocks.Div(div)
  local class = div.classes[1] or ""
  local first = div.content[1]
  if div.classes[2] == "details" and is_paragraph(first) then
    div.content[1] = pandoc.Para { pandoc.Strong(first.content) }
  elseif class:match("^alert%-") or class:match("^callout%-") then
    div.classes = { "alert", class:match("%-(.+)") }
  end
  local style = div.attributes.style
  if class == "page" or not style then return div end
  div.attributes.style = nil
  local page = pandoc.Div({}, pandoc.Attr("", { "page" }, { style = "break-after: page" }))
  return style:match("before") and { page, div } or { div, page }
end

local notes = {} -- the first of each key, for the pieces that define none of their own
local numbers = {}
local used = 0
local known = {}
local cited = false

-- The footnotes that blocks define, by their keys, and the other blocks.
local function split(list)
  local own = {}
  local kept = pandoc.Blocks {}
  for _, block in ipairs(list) do
    local key = block.t == "Div" and block.identifier:match("^nbtypst%-note%-%[%^(.+)$")
    if key then
      own[key] = block.content
      notes[key] = notes[key] or block.content
    else
      kept:insert(block)
    end
  end
  return own, kept
end

-- A citation as it is parsed, if every key in it stands in a .bib file; else nil, and the first key that does not.
local function cite(text)
  local read = pandoc.read(text, "markdown").blocks[1].content
  local count = 0
  for _, inline in ipairs(read) do
    for _, one in ipairs(inline.t == "Cite" and inline.citations or {}) do
      if not known[one.id] then return nil, one.id end
      count = count + 1
    end
  end
  cited = cited or count > 0
  return count > 0 and read or nil
end

-- The filter that puts footnotes and citations where they are mentioned.
local function mentions(own)
  local filter = { traverse = "topdown" }
  local below -- the footnotes of a heading stand below it: the contents repeat all that is in it

  local function footnote(key)
    local found = own[key] or notes[key]
    if not found then return nil end
    if below then
      below:extend(found)
      return {}
    end
    if numbers[found] then return { pandoc.Superscript(tostring(numbers[found])) } end
    used = used + 1
    numbers[found] = used
    return { pandoc.Note(found:walk(filter)) }
  end

  -- The inlines of a text with the mentions in it; nil if it has none.
  local function split_text(text)
    local made = pandoc.Inlines {}
    local done, from = 1, 1
    while true do
      local start, after, shown
      local one, key, two = text:match("()%[%^([^%]%s]+)%]()", from)
      local three, four = text:match("()%[[^%[%]]*@[%w_][^%[%]]*%]()", from)
      local five, six = text:match("()%f[@]@[%w_][%w_:.-]*%f[^%w_]()", from)
      start = math.min(one or math.huge, three or math.huge, five or math.huge)
      if start == math.huge then break end
      if start == one then
        after, shown = two, footnote(key)
      elseif start == three then
        local source, unknown = text:sub(three, four - 1), nil
        after = four
        shown, unknown = cite(source)
        if unknown and next(known) then
          shown = { pandoc.Span({ pandoc.Str(source) }, pandoc.Attr("", {}, { unknown = unknown })) }
        end
      elseif start == 1 or text:sub(start - 1, start - 1):match("[%s(]") then
        after, shown = six, cite(text:sub(five, six - 1))
      end
      if shown then
        if start > done then made:insert(pandoc.Str(text:sub(done, start - 1))) end
        made:extend(shown)
        done, from = after, after
      else
        from = start + 1
      end
    end
    if done == 1 then return nil end
    if done <= #text then made:insert(pandoc.Str(text:sub(done))) end
    return made
  end

  local TEXT = { Str = true, Space = true, SoftBreak = true }

  function filter.Inlines(list)
    local made = pandoc.Inlines {}
    local first = 1
    while first <= #list do
      local text = ""
      local last = first
      while last <= #list and TEXT[list[last].t] do
        text = text .. (list[last].text or " ")
        last = last + 1
      end
      local parts = text:find("[@^]") and split_text(text)
      made:extend(parts or { table.unpack(list, first, last - 1) })
      if last <= #list then made:insert(list[last]) end
      first = last + 1
    end
    return made
  end

  function filter.Cite(one)
    return one, false -- its words, which are the mention
  end

  function filter.Span(one)
    return one, not one.attributes.unknown -- again
  end

  function filter.Header(header)
    below = pandoc.Blocks {}
    header = header:walk { Inlines = filter.Inlines }
    local list = below
    below = nil
    list = list:walk(filter)
    list:insert(1, header)
    return list, false
  end

  return filter
end

-- Put the list of what is cited below the last heading that asks for it, else below one of its own, at the end.
local function place_list(parts, level)
  local last = parts[#parts]
  if last.content[1].identifier ~= "refs" then return end
  local list = last.content
  last.content = {}
  if not cited then return end
  for index = #parts, 1, -1 do
    local content = parts[index].content
    for place, block in ipairs(content) do
      if block.t == "Header" and HEADS[pandoc.utils.stringify(block):lower()] then
        content:insert(place + 1, list[1])
        return
      end
    end
  end
  last.content = { pandoc.Header(level, "References"), list[1] }
end

function Pandoc(doc)
  local every = doc.meta
  every.nocite = pandoc.read("@*", "markdown").blocks[1].content
  for _, reference in ipairs(pandoc.utils.references(pandoc.Pandoc({}, every))) do
    known[reference.id] = true
  end
  doc.meta.nocite = nil
  local whole = doc.blocks[1] and doc.blocks[1].t == "Div" and doc.blocks[1].identifier:match("^nbtypst%-part%-")
  local parts = whole and doc.blocks or { pandoc.Div(doc.blocks) }
  local owns = {}
  for index, part in ipairs(parts) do
    owns[index], part.content = split(part.content:walk(blocks))
    parts[index] = part
  end
  local tops = 0
  for index, part in ipairs(parts) do
    part.content = part.content:walk(mentions(owns[index]))
    part:walk { Header = function(header) if header.level == 1 then tops = tops + 1 end end }
    parts[index] = part
  end
  if whole then place_list(parts, tops == 1 and 2 or 1) end
  doc.blocks = whole and parts or parts[1].content
  return doc
end
