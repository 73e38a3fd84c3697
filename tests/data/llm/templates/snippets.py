"""Snippets of template syntax, each rendered with CONTEXT by make_goldens.py and by our engine. Grouped by theme."""

CONTEXT = {
    "s": "Hello World", "u": "Größe 日本 🐦 ΑΣ", "empty": "", "ws": " \t padded \n", "quotes": "it's \"so\"", "lines": "a\nb\r\nc\n\nd",
    "n": 7, "neg": -3, "zero": 0, "f": 2.5, "big": 123456789012345678901234567890, "t": True, "no": False, "nil": None,
    "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "nested": [[1, 2], [3, [4]]], "el": [],
    "d": {"b": 1, "a": 2, "items": "mine", "x y": 3}, "ed": {}, "mixed": [1, "a", None, True, 2.5, [1], {"k": "v"}],
    "users": [{"name": "Bob", "age": 30, "city": {"n": "Ulm"}}, {"name": "alice", "age": 25, "city": {"n": "Bonn"}},
              {"name": "Carol", "age": 30, "city": {"n": "ulm"}}, {"age": 1}],
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}],
}

EXPRESSIONS = r'''
1 + 2 * 3
(1 + 2) * 3
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
-7.5 // 2
-7.5 % 2
7.5 % -2
0.0 // 3
2 ** 10
2 ** 3 ** 2
-2 ** 2
2 ** -1
2 ** 0.5
0 ** 0
(-8) ** 3
10 / 4
10 / 5
1 / 3
1 / 0
1 // 0
1 % 0
1.0 / 0
1.0 // 0
1.0 % 0
0 ** -1
9223372036854775807
9223372036854775807 - 1
-9223372036854775807 - 1
1_000_000 + 0
1e3
1.5e-7
1e16
1e15
123456789.123
0.1 + 0.2
1e22
1e-5
0.0001
5e-324
1.7976931348623157e308
1e400
-1e400
1e400 - 1e400
0x1F
0b101
0o17
0x_ff
00
1_0.5_0
1.e5
3.0
3.
007
1__0
1 + 1.0
1 + true
true + true
true * 3
-true
+true
not true
not ''
not none
-'a'
+'a'
'a' + 'b'
'a' + 1
1 + 'a'
'a' * 3
3 * 'ab'
'a' * -1
'a' * 1.5
[1] + [2]
[1, 2] * 2
(1,) + (2, 3)
[1] + (2,)
[] * 5
'a' ~ 1 ~ none ~ true ~ 2.0 ~ [1] ~ {'a': 1}
undef ~ 'x'
1 ~ 2
'%s' % 'x'
'%s and %s' % ('a', 'b')
'%d' % 3.7
'%5d|%-5d|%05d|%+d' % (42, 42, 42, 42)
'%x %X %o %#x' % (255, 255, 8, 255)
'%.2f %e %g' % (3.14159, 12345.678, 0.00001)
'%10.3f|%-10.1f|%010.2f' % (3.14159, 2.5, -1.5)
'%r %s' % ('a', 'a')
'%c%c' % ('x', 65)
'%%'  % ()
'%s' % none
'%s' % [1, 2]
'%s %s' % 'a'
'%s' % ('a', 'b')
'no' % 'a'
'no' % {'a': 1}
'no' % [1]
'%(a)s %(b)d' % {'a': 'x', 'b': 5}
'%(a)s' % {'b': 1}
'%(a)s' % 5
'%d' % 'a'
'%q' % 1
'%' % 1
'%5s|%-5s|%.2s' % ('ab', 'ab', 'abcdef')
'%s' % undef
'%d' % undef
'%*d' % (5, 3)
'%a' % 'é'
'% d' % 5
'%i' % true
'%g' % 100000
'%g' % 1000000
'%g' % 1e-5
'%#g' % 1.0
'%E' % 0
'%f' % 1e400
'%d' % big
1 == 1.0
1 == true
0 == false
'1' == 1
none == undef
undef == undef2
[1, 2] == [1, 2]
[1, 2] == (1, 2)
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
'a' < 'b'
'Z' < 'a'
'a' < 'ab'
[1, 2] < [1, 3]
[1] < [1, 0]
(1, 'a') < (1, 'b')
1 < 'a'
none < 1
undef < 1
1 < undef
[1] < ['a']
{} < {}
1 < 2 < 3
1 < 3 < 2
1 < 2 == true
3 > 2 > 1 != 5
1 in [1, 2]
1.0 in [1, 2]
true in [1, 2]
'a' in 'abc'
'' in 'abc'
1 in 'abc'
'a' not in 'abc'
'b' in d
'zz' in d
1 in d
[1] in d
[1] in nested
none in [none]
undef in [1]
'a' in undef
'a' in none
'a' in 5
3 in range(5)
2.0 in range(5)
1.5 in range(5)
'b' in d.keys()
1 in d.values()
('b', 1) in d.items()
true and 1
0 and 1
'' or 'x'
none or 0
1 or 1/0
0 and 1/0
not 1 in [2]
not (1 in [1])
1 if true else 2
1 if false else 2
1 if false
(1 if false) is defined
(1 if false) ~ 'x'
'a' if none else 'b' if 0 else 'c'
1 if true else 1/0
[1 if t else 2, 3]
s[0]
s[-1]
s[100]
s[1:4]
s[:5]
s[6:]
s[-5:]
s[:-6]
s[::2]
s[::-1]
s[5:1:-1]
s[10:2]
s[::0]
s[1:100]
s['upper']()
u
u[0]
u[2]
u[6]
u[9]
u[::-1]
u[3:8]
u[-3:]
u|length
u|upper
u|lower
u.title()
u.capitalize()
u.swapcase()
'ß'|upper
'ﬁ'|upper
'ΑΣ'|lower
'ΣΑ'.lower()
'ǆ'|capitalize
'ŉ'|upper
'İ'|lower
"they're bill's"|title
"they're bill's".title()
"foo-bar (baz) [x] {y} <z>"|title
'éa'|title
l[0]
l[-1]
l[5]
l[true]
l['a']
l[1.0]
l[1:]
l[::-1]
l[:1]
l[-2:]
l[5:]
l[none:2]
l['a':]
(1, 2, 3)[1]
(1, 2, 3)[::-1]
[1, 2, 3][1:2]
range(10)[2:5]
range(10)[::-2]|list
range(5)[-1]
range(5)[9]
d['b']
d['zz']
d.b
d.zz
d.zz is defined
d.zz.y
d['zz']['y']
d.items is callable
d['items']
d.items()|list
d.keys()|list
d.values()|list
d.items()
d.keys()
d.values()
d.get('b')
d.get('zz')
d.get('zz', 5)
d.get()
d.get('b', 1, 2)
d.get(['x'])
d.keys()[0]
d['x y']
d.pop('b')
d.update({})
d.pop is defined
d.clear
d.copy() == d
d.__class__
d.__class__.x
d._x
s.__class__
s.__len__()
l.append(1)
l.append
l.append is defined
l.pop()
l.sort()
l.reverse()
l.insert(0, 1)
l.extend([1])
l.remove(1)
l.clear()
l.index(1)
l.index(9)
l.count(1)
l.copy()
(1, 2, 1).count(1)
(1, 2).index(2)
none.x
none['x']
none.x.y
none[0]
5 .x
5['x']
n.real
n.numerator
f.real
f.is_integer()
n.bit_length()
t.real
undef
undef.x
undef['x']
undef()
undef.x()
undef[0]
undef[1:]
s[undef]
d[undef]
l[undef]
s.nosuch
s.nosuch()
s()
n()
none()
[1, 2]
[]
[1,]
(1,)
()
(1)
1, 2
{}
{'a': 1, 'b': [1, 'x']}
{'a': 1, 'a': 2}
{1: 'x', true: 'y', 1.0: 'z'}
{none: 1, (1, 2): 2}
{[1]: 2}
{'a': 1,}
{undef: 1}
mixed
nested
users
'a'
'it\'s'
"it's"
['it\'s']
["it's"]
['"']
['it\'s "x"']
['\n\t\r\\']
['\x00\x1f\x7f\x80\xa0\u200b\ufeff']
['é日🐦']
['\u2028']
'\x41\u0042\U00000043\103\12'
'\q\é'
'a\
b'
'\N{DASH}'
'\x4'
'\ud800'
'abc' 'def'
"a" 'b'
'unterminated
true ~ True ~ false ~ none ~ None
TRUE
s is string
n is string
n is number
t is number
f is number
n is integer
t is integer
f is integer
f is float
n is float
t is boolean
n is boolean
t is true
n is true
no is false
zero is false
nil is none
undef is none
undef is defined
undef is undefined
s is defined
nil is defined
d is mapping
l is mapping
s is sequence
l is sequence
d is sequence
n is sequence
undef is sequence
d.items() is sequence
s is iterable
l is iterable
d is iterable
n is iterable
nil is iterable
undef is iterable
range(3) is iterable
range(3) is sequence
s.upper is callable
range is callable
s is callable
undef is callable
namespace() is iterable
namespace is callable
3 is odd
3 is even
4 is even
f is odd
'a' is odd
9 is divisibleby 3
9 is divisibleby(3)
9 is divisibleby 0
'abc' is lower
'ABC' is lower
'ABC' is upper
'AbC' is upper
'123' is upper
5 is lower
1 is eq 1
1 is ne 2
1 is lt 2
2 is le 2
3 is gt 2
2 is ge 3
1 is equalto 1
2 is greaterthan 1
1 is lessthan 0
1 is in [1, 2]
1 is not in [2]
1 is sameas 1
true is sameas 1
none is sameas none
l is sameas l
'upper' is filter
'nosuch' is filter
'odd' is test
'x'|safe is escaped
'x' is escaped
1 is nosuch
1 is not defined
1 is defined and 2 is even
x is defined or 1
not x is defined
x is defined is defined
1 is string or 2
n is string if t else 5
1 is defined(1)
1 is divisibleby
s|upper
s|lower
s|title
s|capitalize
s|length
s|count
l|length
d|length
n|length
nil|length
undef|length
range(3)|length
s|reverse
l|reverse|list
l|reverse
d|reverse|list
n|reverse
s|first
s|last
l|first
l|last
el|first
el|last
el|first is defined
d|first
d|last
undef|first
n|first
s|list
l|list
d|list
undef|list
nil|list
range(4)|list
d.items()|list
l|join
l|join(', ')
l|join(d='-')
l|join(1)
users|join(',', attribute='age')
users|join('|', 'name')
s|join('.')
d|join
undef|join('x')
n|join
mixed|join(' ')
l|sort
ls|sort
ls|sort(case_sensitive=true)
ls|sort(true)
ls|sort(reverse=true)
mixed|sort
users|sort(attribute='age')|map(attribute='age')|list
users[:3]|sort(attribute='age,name')|map(attribute='name')|list
users|sort(attribute='name')
d|sort
s|sort
users[:3]|sort(attribute='city.n')|map(attribute='name')|join(',')
[[2, 'a'], [1, 'b']]|sort(attribute=1)
[[2, 'a'], [1, 'b']]|sort(attribute='0')
d|dictsort
{'b': 1, 'A': 2, 'c': 0}|dictsort
{'b': 1, 'A': 2, 'c': 0}|dictsort(true)
{'b': 1, 'A': 2, 'c': 0}|dictsort(by='value')
{'b': 1, 'A': 2, 'c': 0}|dictsort(false, 'value', true)
d|dictsort(by='x')
l|dictsort
l|unique|list
['a', 'A', 'b', 'a']|unique|list
['a', 'A', 'b', 'a']|unique(true)|list
users|unique(attribute='age')|map(attribute='name')|list
nested|unique|list
l|min
l|max
el|min
el|max is defined
ls|min
ls|max
ls|min(case_sensitive=true)
users[:3]|max(attribute='age')
mixed|min
s|max
l|sum
users|sum(attribute='age')
l|sum(start=10)
el|sum
ls|sum
nested|sum(start=[])
l|map('string')|list
ls|map('upper')|join
ls|map('replace', 'a', 'x')|list
users|map(attribute='name')|list
users|map(attribute='name', default='?')|list
users|map(attribute='city.n', default='-')|list
users|map(attribute='name')|map('default', 'zz')|list
l|map('nosuch')|list
l|map
l|map()|list
l|map(attribute='x', foo=1)|list
nested|map(attribute=0)|list
nested|map('first')|list
undef|map('upper')|list
nil|map('upper')|list
l|select('odd')|list
l|select|list
mixed|select|list
l|reject('odd')|list
l|select('gt', 1)|list
l|select('>', 1)|list
l|select('in', [1, 2])|list
l|select('nosuch')|list
users|selectattr('name')|map(attribute='age')|list
users|selectattr('age', 'eq', 30)|map(attribute='name')|list
users|selectattr('age', 'equalto', 30)|list|length
users|rejectattr('name')|list
users|rejectattr('name', 'defined')|list
users|selectattr('city.n', 'defined')|list|length
users|selectattr|list
users|selectattr('age', '>=', 30)|first
(users|selectattr('age', 'eq', 99)|list) == []
messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|first
messages|rejectattr('role', 'in', ['system'])|list|length
users[:3]|groupby('age')
users[:3]|groupby('city.n')
users|groupby('name')
users|groupby('name', default='zz')
users[:3]|groupby('city.n', case_sensitive=true)
(users[:3]|groupby('age'))[0].grouper
(users[:3]|groupby('age'))[0].list|length
l|batch(2)|list
l|batch(2, 0)|list
l|batch(0)|list
l|slice(2)|list
range(7)|slice(3, 'x')|list
l|slice(0)|list
d|items|list
undef|items|list
l|items|list
l|items
s|replace('l', 'L')
s|replace('l', 'L', 1)
s|replace('', '-')
s|replace('o', '', count=1)
n|replace('7', '8')
s|replace('x')
ws|trim
ws|trim ~ '|'
'xxaxx'|trim('x')
n|trim
undef|trim
nil|trim
lines|indent
lines|indent(2)
lines|indent(2, true)
lines|indent(2, true, true)
lines|indent('> ')
lines|indent(width=1, first=true)
''|indent(2, true)
n|indent
undef|indent
s|truncate(5)
s|truncate(8, true, '..')
s|truncate(6, false, '...', 0)
s|truncate(3, true, '...', 0)
s|truncate(2, true, '...', 0)
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(11, False, '...', 0)
s|wordcount
u|wordcount
'a-b c_d 5'|wordcount
s|center(20) ~ '|'
'abc'|center(8) ~ '|'
'abc'.center(8) ~ '|'
'abcd'.center(9, '*')
'%s-%s'|format('a', 1)
'%(x)s'|format(x=5)
'%s'|format
'%s'|format(1, x=2)
'<a href="x">\'&'|e
'<a>'|escape|escape
'<a>'|e|forceescape
('<a>'|safe) + '<b>'
'<b>' + ('<a>'|safe)
('<a>'|safe) ~ '<b>'
('<a>'|safe)|upper
['<a>'|safe]
('%s'|safe) % '<b>'
'<p>Hi  <b>you</b></p><!-- c -->'|striptags
'a b/c?d=é&f'|urlencode
{'a b': 'c/d', 'x': 1}|urlencode
[['a', 1]]|urlencode
n|urlencode
{'a': 1, 'b': none, 'c': '<x>'}|xmlattr
'42'|int
' 42 '|int
'4_2'|int
'42.7'|int
'x'|int
'x'|int(5)
'x'|int(default=-1)
'ff'|int(0, 16)
'0xff'|int(base=16)
'0b11'|int(base=2)
'1e3'|int
f|int
-2.7|int
(-2.7)|int
t|int
nil|int
l|int
undef|int
''|int
'3.5'|float
'x'|float
'x'|float(1.5)
'inf'|float
'nan'|float
'1_0'|float
n|float
nil|float
-5|abs
(-5.5)|abs
'a'|abs
t|abs
42.55|round
42.55|round(1)
42.45|round(1, 'floor')
42.41|round(1, 'ceil')
2.5|round
3.5|round
2.675|round(2)
1234.5|round(-2)
15|round(-1)
25|round(-1)
7|round
7|round(1, 'ceil')
'a'|round
2.5|round(0, 'x')
-2.5|round
undef|default('x')
undef|default
nil|default('x')
nil|default('x', true)
''|default('x', true)
''|d('x', boolean=true)
d.zz|default('y')
d.zz.y|default('y')
0|default(5)
d|attr('get') is callable
d|attr('b')
d|attr('b') is defined
s|attr('upper')()
n|string
f|string
l|string
undef|string
nil|string
1000|filesizeformat
1|filesizeformat
1234567|filesizeformat
1234567|filesizeformat(true)
0|filesizeformat
l|random
l|pprint
s|nosuch
d|tojson
mixed|tojson
u|tojson
u|tojson(ensure_ascii=true)
'\x00\x1f\x7f"\\/\b\f\n\r\t\u2028'|tojson
d|tojson(indent=2)
nested|tojson(indent=1)
d|tojson(indent=0)
el|tojson(indent=2)
{'a': [], 'b': {}, 'c': [{}]}|tojson(indent=4)
d|tojson(indent='\t')
d|tojson(separators=(',', ':'))
d|tojson(separators=[', ', ' = '])
d|tojson(sort_keys=true)
users[0]|tojson(indent=2, separators=(',', ': '), sort_keys=true)
{1: 2, true: 3, none: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
{1: 2, 'a': 3}|tojson(sort_keys=true)
(1, 2)|tojson
undef|tojson
[undef]|tojson
range(3)|tojson
namespace(a=1)|tojson
d.items()|tojson
l|map('string')|tojson
[1.0, 1e100, 1e-7, 0.1, -0.0]|tojson
1e400|tojson
(1e400 - 1e400)|tojson
big|tojson
big
big is integer
big == big
[big]
s|tojson|safe
'<&>\''|tojson
s.upper()
s.lower()
s.split()
s.split('o')
s.split('o', 1)
s.split(sep='l')
s.split(maxsplit=1)
s.split('')
s.split(none)
ws.split()
' a  b '.split(' ')
'a,b,,c'.split(',')
''.split()
''.split(',')
s.rsplit('o', 1)
s.rsplit()
' a b  c '.rsplit(none, 1)
' a b  c '.split(none, 1)
lines.splitlines()
lines.splitlines(true)
''.splitlines()
'a\n'.splitlines()
'a\x0bb\x0cc\x1cd\x85e\u2028f'.splitlines()
ws.strip() ~ '|'
ws.lstrip() ~ '|'
ws.rstrip() ~ '|'
'xyaxy'.strip('xy')
'xyaxy'.lstrip('yx')
'xyaxy'.rstrip('y')
'a'.strip(5)
'\u3000a\xa0'.strip()
s.startswith('Hell')
s.startswith(('x', 'H'))
s.startswith('World', 6)
s.startswith(['H'])
s.endswith('ld')
s.endswith(('x', 'ld'))
s.endswith('Hello', 0, 5)
''.startswith('')
s.replace('l', 'L')
s.replace('l', 'L', 1)
s.replace('', '.')
s.replace('l', 5)
s.replace('l')
s.find('o')
s.find('o', 5)
s.find('zz')
s.find('', 11)
s.find('', 12)
s.rfind('o')
s.index('W')
s.index('zz')
s.rindex('l')
u.find('日')
u.find('🐦', 2)
s.count('l')
s.count('')
s.count('l', 4)
'aaa'.count('aa')
', '.join(['a', 'b'])
', '.join([1])
'-'.join('abc')
''.join([])
'-'.join(d)
'{} {}'.format('a', 1)
'{0}{1}{0}'.format('a', 'b')
'{a} {b.name} {c[k]} {d[0]}'.format(a=1, b=users[0], c={'k': 'v'}, d=[5])
'{}{1}'.format(1, 2)
'{'.format()
'}'.format()
'{{}}'.format()
'{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c')
'{:*^7}'.format('a')
'{:05d} {:+d} {:,} {:_}'.format(42, 42, 1234567, 1234567)
'{:.2f} {:e} {:g} {:%}'.format(3.14159, 12345.678, 0.5, 0.25)
'{:x} {:#X} {:b} {:o} {:c}'.format(255, 255, 5, 8, 65)
'{:.3}'.format('abcdef')
'{!r} {!s}'.format('a', 'b')
'{!a}'.format('é')
'{:{}}'.format('a', 5)
'{:{w}.{p}f}'.format(3.14159, w=8, p=2)
'{:d}'.format('a')
'{:s}'.format(5)
'{:5}'.format(none)
'{}'.format(none)
'{:5}'.format(true)
'{}'.format(true)
'{:,.2f}'.format(1234567.891)
'{:010.3f}'.format(-3.14159)
'{:=+8d}'.format(42)
'{:<08}'.format(1)
'{:.0f}'.format(2.5)
'{:.3}'.format(1234.5)
'{:.1}'.format(0.05)
'{:z}'.format(1)
'{x}'.format()
'{5}'.format(1)
'{a.__class__}'.format(a=1)
'{}'.format(undef)
'{a}'.format_map({'a': 1})
'abc'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
''.isalpha()
'  '.isspace()
'ABC'.isupper()
'abc'.islower()
'Abc Def'.istitle()
'日本'.isalpha()
'a b'.isidentifier()
'é1'.isidentifier()
'a\n'.isprintable()
'é'.isascii()
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.removeprefix('x')
'42'.zfill(5)
'-42'.zfill(5)
'a'.ljust(3) ~ '|'
'a'.rjust(3, '*')
'a'.rjust(3, '**')
'a\tb'.expandtabs()
'a\tb'.expandtabs(4)
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
'ABC'.casefold()
'a'.encode()
range(3)
range(1, 4)
range(1, 10, 3)
range(5, 0, -2)|list
range(0)|list
range(3)|string
range(1, 2, 0)
range('a')
range()
range(1.5)
range(100001)
range(100000)|length
range(3) == range(0, 3)
dict(a=1, b=2)
dict([('a', 1), ['b', 2]])
dict({'a': 1}, b=2)
dict()
dict(1)
dict.fromkeys(['a', 'b'], 0)
namespace(a=1, b='x')
namespace(a=1).a
namespace(a=1).zz
namespace(a=1).zz is defined
namespace(a=1)['a']
namespace({'a': 1}).a
namespace(_a=1)
cycler('a', 'b').next()
cycler()
joiner()()
joiner('|') is callable
lipsum()
raise_exception('boom')
raise_exception()
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%d %b %Y')
strftime_now('%B %A %j %%')
strftime_now('%f|%z|%Z')
strftime_now(5)
nosuch_function()
[x for x in l]
lambda x: x
1 +
+ 
(1
[1
{1
{'a' 1}
)
1 2
a.b.
a..b
a.1
l.0
nested.0.1
l.5
users.0.name
1.real
1 = 2
a!
a && b
a || b
!a
@
$x
"a
s | upper | lower
s|upper()
s|upper(1)
s|upper|length
-n|abs
-l|length
n|string + 'x'
not n|string
(l|map('string')) is iterable
(l|map('string')) is sequence
(l|map('string'))|length
(l|select('odd'))[0]
l|map('string')|first
l|map('string')|last
range(*[3])|list
dict(**{'a': 1})
s.split(*['o'], **{'maxsplit': 1})
range(*5)
dict(**[1])
f(a=1, a=2)
f(a=1, 2)
f(*a, 2)
f(**a, b=1)
f(,)
range(3,)|list
loop
caller
varargs
true.x
'a'.b.c
{'a': {'b': {'c': 1}}}.a.b.c
{'get': 5}.get
{'get': 5}['get']
{'a': 1}|length + 1
[l, d][0][1]
(d.items()|list)[0][1]
d.items()|first
messages[-1]['role'] == 'assistant'
messages[-1:]|length
messages[1:]|map(attribute='role')|join(',')
messages|map(attribute='content')|join
messages[0].content[0]
s[0].upper() + s[1:]
'a' 'b'|upper
'x' * 3 ~ 'y' * 2
1 ~ 2 + 3
1 + 2 ~ 3
2 * 3 ~ 4
'a' in 'abc' and 'b' in 'abc'
n > 5 and n < 10 or false
n == 7 == true
none is none
none is not none
s is not string
l is not mapping and l is iterable
(1, 2) is iterable
1.0 is integer
1e2|int
10|string|length
'%s'|format(none)
'true' == true
none ~ ''
[none, true]|string
{'a': none}|string
{'a': (1,)}|string
[[]]|string
[()]|string
[{}]|string
'é'|length
'e\u0301'|length
'🐦'|length
'🐦'[0]
['🐦']|tojson(ensure_ascii=true)
'\t'|tojson
'a\u007fb'
['a\u007fb']
'\\n'
'\\\\'
[1.0, 2.50, 1e20, 1e-10]
1e17|string
123456789012345680.0
0.00001
-0.0
1.0
100.0
1e100
3.14159265358979
2.0 ** 70
2 ** 62
2 ** 63
-2 ** 63
9223372036854775807 + 1
9223372036854775808
3 * 3074457345618258603
s is eq 'Hello World'
s|lower is eq 'hello world'
l|first is odd
not l
not el
l and 'x'
el or 'y'
d or 1
ed or 'z'
nil and 1
f and 1
0.0 or 'zero'
namespace() and 1
range(0) or 'r'
undef or 'u'
undef and 1
(undef or {}).x
(undef or {}).x is defined
'a' if undef
'a' if undef else 'b'
s[n:]
s[:n-1]
s[n]
s[-n]
l[n-7]
l[l|length - 1]
users|length > 3
users[0].name ~ ' is ' ~ users[0].age
"Name: %s" % users[0].name
users[0]['city']['n']
users[3].name is defined
users[3].name or 'anon'
users|map(attribute='age')|sum
users|map(attribute='age')|max
users|map(attribute='name')|select('defined')|join(',')
users|map(attribute='name')|select|list
'AbC'.swapcase()
'hello world foo'.title()
'a,b;c'.replace(';', ',').split(',')
s.lower().split()[0]
s.split()[-1]|upper
s.split(' ')|map('length')|list
' '.join(s.split()[::-1])
'x'.join(['1', '2', '3'])
(s ~ '!').endswith('!')
'%.3f'|format(3.14159)
'%03d' % n
'{:03d}'.format(n)
'tab\there'
"new\nline"
'null\0byte'|length
'a'|replace('a', '\\')
'c:\\dir'
'\a\b\f\v'|tojson
'\''
"\""
'\u00e9' == 'é'
'abc'[1:][0]
'abc'[-2:]
'abc'[::-1][0]
'abcdef'[1:5:2]
'abcdef'[::-2]
'abcdef'[-1:-4:-1]
'abcdef'[4:1:-1]
[1, 2, 3, 4, 5][-3:-1]
[1, 2, 3, 4, 5][::-1][:2]
[1, 2, 3][::2]
[1, 2, 3][10:]
[1, 2, 3][-10:2]
[1, 2, 3][:-10]
'''.strip("\n").split("\n")

TEMPLATES = [
    # if, for and friends
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}",
    "{% if zero %}a{% elif nil %}b{% elif t %}c{% else %}d{% endif %}",
    "{% if undef %}a{% endif %}|",
    "{% if t: %}colon{% endif %}",
    "{% for x in l %}{{ x }},{% endfor %}",
    "{% for x in el %}x{% else %}none{% endfor %}",
    "{% for x in undef %}x{% else %}none{% endfor %}",
    "{% for x in nil %}x{% endfor %}",
    "{% for x in n %}x{% endfor %}",
    "{% for x in s %}{{ x }}.{% endfor %}",
    "{% for x in u %}{{ x }}.{% endfor %}",
    "{% for k in d %}{{ k }};{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for a, (b, c) in [[1, [2, 3]], (4, (5, 6))] %}{{ a }}{{ b }}{{ c }};{% endfor %}",
    "{% for a, b in [[1]] %}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}:{{ x }} {% endfor %}",
    "{% for x in l if x > 5 %}{{ x }}{% else %}nope{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.length }}{{ loop.last }} {% endfor %}",
    "{% for k, v in d.items() if v > 1 %}{{ k }}{{ loop.previtem }}{% endfor %}",
    "{% for x in [1,2,3] %}{% for y in [4,5] %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }}|{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in (1, 2, 3) %}{{ x }}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}",
    "{% for x in range(5, 0, -2) %}{{ x }}{% endfor %}",
    "{% for x in ls %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/{{ loop.first }}/{{ loop.last }}/{{ loop.length }}/{{ loop.depth }}/{{ loop.depth0 }} {% endfor %}",
    "{% for x in ls %}{{ loop.previtem }}-{{ x }}-{{ loop.nextitem }} {% endfor %}",
    "{% for x in ls %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in ls %}{{ loop.cycle('odd', 'even') }} {% endfor %}",
    "{% for x in ls %}{{ loop.cycle() }} {% endfor %}",
    "{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in ls %}{{ loop }} {% endfor %}",
    "{% for x in ls %}{{ loop.nosuch }}|{% endfor %}",
    "{% for x in ls %}{{ loop|length }}{% endfor %}",
    "{% for x in ls|map('upper') %}{{ loop.length }}{{ loop.last }}{{ x }} {% endfor %}",
    "{% for x in ls|map('upper') %}{{ loop.revindex }}{{ loop.nextitem }} {% endfor %}",
    "{% for x in ls|select %}{{ loop.last }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% break %}{% else %}e{% endfor %}",
    "{% for x in l %}{% continue %}{% else %}e{% endfor %}",
    "{% for x in l %}{% if loop.index == 2 %}{% break %}{% endif %}{% else %}e{% endfor %}",
    "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ y }}{% endfor %}{{ x }}{% endfor %}",
    "{% break %}", "{% continue %}", "{% for x in l %}{% else %}{% break %}{% endfor %}",
    "{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in l %}{% set y %}{% break %}{% endset %}{% endfor %}ok",
    "{% for x in l %}{% filter upper %}a{% if x == 1 %}{% continue %}{% endif %}b{% endfilter %}{% endfor %}",
    "{% for loop in l %}{% endfor %}",
    "{% for x in l %}{% set loop = 1 %}{% endfor %}",
    "{% for x in l %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 5 %}{% for x in l %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 5 %}{% for y in l %}{{ x }}{% set x = y %}{{ x }} {% endfor %}{{ x }}",
    "{% for y in l %}{{ x }}{% set x = y %}{{ x }} {% endfor %}{{ x }}",
    "{% for y in l %}{% if loop.first %}{% set z = 'first' %}{% endif %}{{ z }} {% endfor %}",
    "{% set ns = namespace(c=0) %}{% for y in l %}{% set ns.c = ns.c + y %}{% endfor %}{{ ns.c }}",
    "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}",
    "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
    "{% set d.x = 1 %}", "{% set undef.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{% set ns = namespace() %}{% for i in range(20) %}{% set ns['a'] = i %}{% endfor %}",
    "{% set ns = namespace(a=1) %}{% set ns.b = ns.a + 1 %}{% set ns.c = ns.b ~ 'x' %}{{ ns }}{{ ns.a }}{{ ns.b }}{{ ns.c }}",
    "{% set x = 1, 2 %}{{ x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = 'xy' %}{{ a }}{{ b }}",
    "{% set a, b = 1 %}", "{% set a, b = [1, 2, 3] %}", "{% set [a, b] = l %}", "{% set 5 = l %}", "{% set none = 1 %}",
    "{% set x = y = 1 %}", "{% set x %}", "{% set x = %}", "{% set = 1 %}",
    "{% set x %}a{{ n }}b{% endset %}[{{ x }}]", "{% set x | upper %}abc{{ n }}{% endset %}{{ x }}",
    "{% set x | upper | replace('A', 'z') %}abc{% endset %}{{ x }}", "{% set x %}{% set y = 1 %}{% endset %}{{ y }}|",
    "{% set x = 'o' %}{% set x %}{{ x }}i{% endset %}{{ x }}", "{% set x %}{% endset %}{{ x is string }}",
    "{% set ns = namespace() %}{% set ns.x %}cap{% endset %}{{ ns.x }}",
    "{% if t %}{% set x = 1 %}{% endif %}{{ x }}", "{% if no %}{% set n = 1 %}{% endif %}{{ n }}",
    "{% if no %}{% set n = 1 %}{% else %}{% set q = n %}{% endif %}{{ n }}{{ q }}", "{{ n }}{% set n = 1 %}{{ n }}",
    "{% set n = n + 1 %}{{ n }}", "{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 1 %}{{ m() }}",
    "{% macro m() %}{{ q }}{% endmacro %}{{ m() }}{% set q = 1 %}{{ m() }}",
    "{% macro m() %}{% set q = 5 %}{{ q }}{% endmacro %}{% set q = 1 %}{{ m() }}{{ q }}",
    "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{% endfor %}{{ m() }}",
    "{% if t %}{% macro m() %}in{% endmacro %}{% endif %}{{ m() }}", "{{ m() }}{% macro m() %}{% endmacro %}",
    # macros
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(1, c='y') }} {{ m(b=5, a=4) }}",
    "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(none) }}",
    "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}",
    "{% macro m(a, b=n) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(a, a) %}{% endmacro %}",
    "{% macro m() %}x{% endmacro %}{{ m }}{{ m.name }}{{ m.arguments }}", "{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
    "{% macro f(v, depth=0) %}{% if v is mapping %}{{ '{' }}{% for k, x in v.items() %}{{ k }}:{{ f(x, depth + 1) }}{% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}{{ depth }}{% else %}{{ v }}{% endif %}{% endmacro %}{{ f({'a': 1, 'b': {'c': 2, 'd': {}}}) }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}in {{ n }}{% endcall %}", "{% macro m() %}{{ caller('x', 2) }}{% endmacro %}{% call(a, b=1) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m() %}{% if caller %}{{ caller() }}{% else %}none{% endif %}{% endmacro %}{{ m() }}{% call m() %}y{% endcall %}",
    "{% macro m(caller=1) %}{{ caller }}{% endmacro %}{{ m() }}", "{% macro m(caller) %}{{ caller() }}{% endmacro %}", "{% call n %}{% endcall %}", "{% call s.upper() %}x{% endcall %}",
    "{% macro m(x) -%}  \n a {{ x }}\n{%- endmacro %}[{{ m(1) }}]", "{% macro outer() %}{% macro inner() %}i{{ n }}{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}",
    "{% macro m(a) %}{% for x in a %}{{ x }}{{ loop.index }}{% endfor %}{% endmacro %}{% for y in nested %}{{ m(y) }}{{ loop.index }};{% endfor %}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m() %}{{ m2 }}{% endmacro %}{% set m2 = 3 %}{{ m() }}",
    "{% macro m(x) %}{{ x|upper }}{% endmacro %}{{ ls|map('upper')|list }}{{ m('q')|lower }}", "{{ macro }}", "{% macro m %}{% endmacro %}", "{% macro 5() %}{% endmacro %}",
    "{% for item in [{'n': 1, 'c': [{'n': 2, 'c': [{'n': 3}]}]}, {'n': 4}] recursive %}{{ item.n }}({{ loop(item.c) if item.c }}{{ loop.depth }}){% endfor %}",
    "{% for x in nested recursive %}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}@{{ loop.depth0 }}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop([1]) }}{% endfor %}", "{% for x in el recursive %}{% else %}e{% endfor %}",
    "{% set q = 1 %}{% for x in nested recursive %}{% set q = 2 %}{{ q }}{% endfor %}{{ q }}",
    # with, filter, call, generation, raw, comments
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}|", "{% with n = n + 1 %}{{ n }}{% endwith %}{{ n }}",
    "{% with a, b = l[:2] %}{{ a }}{{ b }}{% endwith %}", "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aaa{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter nosuch %}a{% endfilter %}", "{% filter upper %}{% set z = 1 %}{% endfilter %}{{ z }}|",
    "{% generation %}abc{{ n }}{% endgeneration %}", "{% generation %}{% set z = 1 %}{{ z }}{% endgeneration %}{{ z }}|", "{% for m in messages %}{% generation %}{{ m.content }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% generation %}x", "{% print n %}", "{% print n, s %}", "{% autoescape false %}{{ '<' }}{% endautoescape %}",
    "{% raw %}{{ x }}{% if %}{% endraw %}", "{%- raw -%}  {{ x }}  {%- endraw -%}  y", "a\n  {% raw %}\n  b\n  {% endraw %}\nc", "{% raw %}x", "{% raw x %}{% endraw %}", "{%raw%}a{%endraw%}", "{% raw %}{% endraw %}",
    "{# c #}a{#- d -#}  b", "a {# c", "{##}x", "{#-#}x", "a\n{# c #}\nb", "a\n  {# c #}  \nb", "{# {{ x }} {% y %} #}z",
    # white space
    "a\n{% if t %}\nb\n{% endif %}\nc\n", "a\n  {% if t %}\n  b\n  {% endif %}\nc", "a {% if t %} b {% endif %} c", "a\n  {%+ if t %}\n  b\n  {%+ endif %}\nc", "a\n  {%- if t -%}\n  b\n  {%- endif -%}\nc",
    "a\n{% if t +%}\nb\n{% endif +%}\nc", "  {{ n }}  \n  {{ n }}\n", "  {{- n -}}  x", "  {{+ n }}", "\n\n{{ n }}\n\n", "x\n", "x\n\n", "", "\n", " ", "{{ n }}\n", "{% if t %}x{% endif %}\n", "\t{% if t %}\n\tx{% endif %}",
    "a  {% if t %}b{% endif %}", "a\n   {% if t %}b{% endif %}   {% if t %}c{% endif %}", "{% if t %}\n\n\nx{% endif %}", "{%- if t %}\nx{%- endif %}", "x {%- if t %} y {%- endif %} z", "x\u00a0\n\u3000{%- if t %}y{% endif %}",
    "a\r\nb\r{{ n }}\r\n", "{{ 'a\r\nb' }}", "{% for x in l %}\n{{ x }}\n{% endfor %}\n", "{% for x in l -%}\n{{ x }}\n{%- endfor %}\n", "{{ n\n}}", "{{\n\n  n +\n  1 }}", "{{ n -}}\n\n{{- n }}", "{%-if t-%}x{%-endif-%}", "{{-n-}}", "{{-5}}", "{{- -5 }}", "{{+5}}", "{{ -5 }}",
    "a\n    {% set x = 1 %}\n    b", "a\n    {% set x = 1 -%}\n    b", "  {% set x = 1 %}  \n{{ x }}", "{% if t %}a\n{% else %}b\n{% endif %}c", "a {#- x #} b", "a {# x -#} b", "a\n  {#+ x #}\nb", "a\n{# x +#}\nb",
    # delimiters and errors
    "{{ '}}' }}", "{{ '{{' }}", "{{ \"%}\" }}", "{% set x = '%}' %}{{ x }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{{'a':1}}}", "{ {n} }", "{n}", "{ % if %}", "}}", "%}", "#}", "{", "{{", "{%", "{#", "a{", "{{ }}", "{% %}", "{{ n", "{% if t", "{{ n }", "{{ n %}", "{% if t }}x{% endif %}",
    "{% if t %}", "{% endif %}", "{% else %}", "{% for x in l %}{% endif %}", "{% if t %}{% endfor %}", "{% if %}{% endif %}", "{% for %}{% endfor %}", "{% for x %}{% endfor %}", "{% for x in %}{% endfor %}", "{% for x in l, %}{{ x }}{% endfor %}", "{% nosuch %}", "{% elif t %}", "{% if t %}{% else %}{% else %}{% endif %}", "{% if t %}{% else %}{% elif t %}{% endif %}", "{% endset %}", "{% if t %}x{% endif t %}", "{% set x = 1 %}x{% endset %}", "{% for x in l recursive if x %}{% endfor %}", "{% 5 %}", "{% 'a' %}", "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% do l.append(1) %}", "{% trans %}x{% endtrans %}",
    "{% if no %}{{ s|nosuch }}{% endif %}ok", "{% if t %}{{ s|nosuch }}{% endif %}", "{{ s|nosuch if no else 'ok' }}", "{% if no %}{{ s is nosuch }}{% endif %}ok", "{% for x in el %}{{ s|nosuch }}{% endfor %}", "{% if no %}{% for x in el %}{{ s|nosuch }}{% endfor %}{% endif %}",
    "{{ undef.x.y }}", "{{ raise_exception('Conversation roles must alternate') }}", "{% if no %}{{ raise_exception('x') }}{% endif %}ok", "{{ 1 / 0 }}", "{% if undef.x %}{% endif %}", "{{ [1, 2, undef.x] }}",
    # the lazy things
    "{% set g = l|map('string') %}{{ g|list }}{{ g|list }}", "{% set g = users|selectattr('name') %}{% for x in g %}{{ x.name }}{% endfor %}{% for x in g %}{{ x.name }}{% endfor %}", "{% set g = l|map('nosuch') %}ok", "{% set g = l|select('odd') %}{{ g|first }}{{ g|list }}", "{% set g = l|reverse %}{{ g|list }}{{ g|list }}", "{% set g = 5|items %}ok", "{% set ns = namespace(k=true) %}{% for x in [1,2,3,4] if ns.k %}{{ x }}{% if x == 2 %}{% set ns.k = false %}{% endif %}{% endfor %}",
    "{% set ns = namespace(k=true) %}{% for x in [1,2,3,4] if ns.k %}{{ x }}{{ loop.last }}{% if x == 2 %}{% set ns.k = false %}{% endif %}{% endfor %}", "{% set j = joiner() %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}",
    "{% set x = d.items() %}{{ x|list|length }}{{ x|list|length }}", "{% for x in messages[::-1] %}{{ x.role }}{% endfor %}", "{% for m in messages[1:] %}{{ loop.index0 }}{{ m.content }}{% endfor %}", "{% for m in messages if m.role != 'system' %}{{ m.content }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}x{% else %}y{% endif %}{% endfor %}", "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>' + '\\n' }}{% endfor %}", "{%- for m in messages -%}\n  {{- m.role }}: {{ m.content -}}\n{%- endfor -%}",
    "{% set msgs = messages[1:] if messages[0].role == 'system' else messages %}{{ msgs|length }}", "{% set ns = namespace(i=-1) %}{% for m in messages[::-1] %}{% if m.role == 'user' and ns.i < 0 %}{% set ns.i = messages|length - 1 - loop.index0 %}{% endif %}{% endfor %}{{ ns.i }}",
    "{{ messages | tojson(indent=4) }}", "{% set x = {'a': [1, 2]} %}{% set y = x.a + [3] %}{{ x }}{{ y }}", "{% set l2 = l + [9] %}{{ l }}{{ l2 }}", "{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% continue %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% set x = 1 %}{% if t %}{% set x = 2 %}{% if t %}{% set x = x + 1 %}{% endif %}{% endif %}{{ x }}", "{% if no %}{% elif t %}{% set x = 3 %}{% endif %}{{ x }}", "{% for i in l %}{% if i == 3 %}{% set y = 'three' %}{% elif i == 1 %}{{ y }}{% else %}{% set y = 'two' %}{% endif %}{{ y }};{% endfor %}",
    "{% set a = 1 %}{% for i in l %}{% set a = a + 1 %}{{ a }}{% endfor %}{{ a }}", "{% set a = 1 %}{% macro m() %}{% for i in l %}{% set a = a + i %}{{ a }},{% endfor %}{% endmacro %}{{ m() }}{{ a }}", "{% set a = 1 %}{% for i in l %}{% with %}{% set a = 5 %}{% endwith %}{{ a }}{% endfor %}",
    "{% macro m() %}{{ x }}{% endmacro %}{% for x in l %}{{ m() }}{% endfor %}|", "{% macro m() %}{{ loop.index }}{% endmacro %}{% for x in l %}{{ m() }}{% endfor %}", "{% for x in l %}{% call(y) cm() %}{{ x }}{{ y }}{% endcall %}{% endfor %}", "{% macro cm() %}{{ caller(1) }}{% endmacro %}{% for x in l %}{% call(y) cm() %}{{ x }}{{ y }}{{ loop.index }};{% endcall %}{% endfor %}",
    "{{ s }}{{ s }}{{ undef }}{{ nil }}{{ t }}{{ f }}{{ l }}", "{{ d['items'] }}{{ d.items is string }}", "{% set d2 = dict(d, c=9) %}{{ d2 }}", "{% set x = namespace(**d) %}", "{{ [1,2,3] | map('string') | join('-') | upper }}", "{{ (1,2)|first }}{{ (1,2)|last }}", "{{ 'a' if t else 'b' ~ 'c' }}", "{{ ('a' if t else 'b') ~ 'c' }}", "{{ not t ~ 'x' }}",
]
