// The rows of an event's form: its buttons without a round trip to the server, moving by mouse,
// finger and keyboard. The form sends the rows in the order in which they stand.
import { dragging } from './dragging.js'

const form = document.querySelector('form.event')
const list = form.querySelector('ol.fields')
const blank = document.getElementById('blank').innerHTML
const count = form.querySelector('[data-count]')
const most = Number(form.dataset.most)

function say (text) {
  count.textContent = text || `${list.children.length} of at most ${most}`
}

function nameOf (row) {
  return row.querySelector('.key input').value || 'this field'
}

function add () {
  if (list.children.length >= most) return say(`There can't be more than ${most}.`)
  const tokens = [...list.children].map((row) => Number(row.dataset.row))
  // Nothing in the blank row was typed by anybody.
  list.insertAdjacentHTML('beforeend', blank.replaceAll('NEW', Math.max(-1, ...tokens) + 1))
  say()
  list.lastElementChild.querySelector('.key input').focus()
}

function remove (row) {
  const next = row.nextElementSibling || row.previousElementSibling
  row.remove()
  say()
  const button = next && next.querySelector('button[value^=delete]')
  const to = button || document.getElementById('add')
  to.focus()
}

// Puts a row before another one, or last; focus goes along with it.
function place (row, before, button) {
  if (before !== row && before !== row.nextElementSibling) list.insertBefore(row, before)
  button.focus()
  const number = [...list.children].indexOf(row) + 1
  say(`${nameOf(row)} is number ${number} of ${list.children.length}`)
}

function move (row, button, up) {
  const next = row.nextElementSibling
  const before = up ? row.previousElementSibling || row : next && next.nextElementSibling
  place(row, before, button)
}

form.addEventListener('click', (event) => {
  const button = event.target.closest('button[name=action]')
  const [action, token] = button ? button.value.split('-') : []
  if (!['add', 'delete', 'up', 'down'].includes(action)) return
  event.preventDefault()
  const row = list.querySelector(`[data-row="${token}"]`)
  if (action === 'add') add()
  else if (action === 'delete') remove(row)
  else move(row, button, action === 'up')
})

list.addEventListener('keydown', (event) => {
  const button = event.target.closest('.moves button')
  if (!button || !event.altKey || !['ArrowUp', 'ArrowDown'].includes(event.key)) return
  event.preventDefault()
  move(button.closest('li'), button, event.key === 'ArrowUp')
})

// The names of a row's buttons follow what is typed.
list.addEventListener('input', (event) => {
  const row = event.target.closest('.key') && event.target.closest('li')
  for (const button of row ? row.querySelectorAll('.moves button') : []) {
    const what = button.getAttribute('aria-label').split(':', 1)[0]
    button.setAttribute('aria-label', `${what}: ${nameOf(row)}`)
  }
})

dragging(list, '.handle', place)
form.classList.add('live')
